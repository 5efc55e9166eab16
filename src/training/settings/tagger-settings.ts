import { OptionError } from '../../errors.js';
import { type Noise, officialNoise } from '../data/denoising.js';
import type { Paraphrases } from '../data/paraphrase-relations.js';
import { type CommonSettings, commonSettings } from './common-settings.js';

/** The settings that decide the weights of a tagger. */
export interface TaggerSettings extends CommonSettings {
  readonly task: 'tagger';
  /** Null if predicates are never paraphrased. */
  readonly paraphrases: Paraphrases | null;
  readonly noise: Noise;
}

/** Fields of the tasks rlip and finetune alone. */
const RLIP_FIELDS = ['losses', 'vocabulary'] as const;

/**
 * Checks a tagger's configuration and fills in omitted fields with the official values.
 * @throws OptionError naming the first wrong field, and what was expected
 */
export function taggerSettings(config: unknown): TaggerSettings {
  const { given, ...common } = commonSettings(config);
  if (given.task !== 'tagger') throw new OptionError('training', `/task ${given.task}, expected tagger`);
  if (common.model.queries !== 'tagger')
    throw new OptionError('training', `/model ${common.model.name} is not a tagger, as /task tagger needs`);
  const field = RLIP_FIELDS.find((name) => given[name] !== undefined);
  if (field) throw new OptionError('training', `/${field} is for the tasks rlip and finetune, but /task is tagger`);
  return {
    task: 'tagger',
    ...common,
    paraphrases: given.paraphrases ?? null,
    noise: given.noise ?? officialNoise,
  };
}
