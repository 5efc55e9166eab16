import { OptionError } from '../../errors.js';
import { officialNoise } from '../data/denoising.js';
import { commonSettings, type TaggerSettings } from './run-settings.js';

/** What belongs to RLIPv2's configuration alone. */
const FOREIGN = ['losses', 'vocabulary'] as const;

/**
 * Checks a tagger's configuration and fills in what it leaves out: the official values.
 * @throws OptionError that names the first field which is wrong, and what was expected
 */
export function taggerSettings(config: unknown): TaggerSettings {
  const { given, ...common } = commonSettings(config);
  if (given.task !== 'tagger') throw new OptionError('training', `/task ${given.task}, expected tagger`);
  if (common.model.queries !== 'tagger') throw new OptionError('training', `${common.model.name} is no tagger`);
  const foreign = FOREIGN.find((field) => given[field] !== undefined);
  if (foreign) throw new OptionError('training', `/${foreign} is of tasks rlip and finetune`);
  return {
    task: 'tagger',
    ...common,
    paraphrases: given.paraphrases ?? null,
    noise: given.noise ?? officialNoise,
  };
}
