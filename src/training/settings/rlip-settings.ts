import { OptionError } from '../../errors.js';
import type { Noise } from '../data/denoising.js';
import type { TrainingVocabulary } from '../data/training-sample.js';
import type { RlipLossOptions } from '../rlip-forward.js';
import { closedVocabulary } from './closed-vocabularies.js';
import { type CommonSettings, commonSettings } from './common-settings.js';

/** The settings that decide the weights of RLIPv2: in pre-training, or in fine-tuning for a closed vocabulary. */
export interface RlipSettings extends CommonSettings {
  readonly task: 'rlip' | 'finetune';
  readonly losses: RlipLossOptions;
  /** Noise of the denoising queries, which are added to the learned ones; null for none. */
  readonly noise: Noise | null;
  /** The labels of every batch; null if they are drawn for each batch. */
  readonly vocabulary: TrainingVocabulary | null;
}

/**
 * Checks a configuration of RLIPv2's pre-training or fine-tuning and fills in omitted fields with the official values.
 * @throws OptionError naming the first wrong field, and what was expected
 */
export function rlipSettings(config: unknown): RlipSettings {
  const { given, ...common } = commonSettings(config);
  const { task } = given;
  if (task === 'tagger') throw new OptionError('training', '/task tagger, expected rlip or finetune');
  if (common.model.queries === 'tagger')
    throw new OptionError('training', `/model ${common.model.name} is a tagger, expected a model that finds pairs`);
  if (given.noise !== undefined && common.model.queries !== 'parseda')
    throw new OptionError('training', `/noise is for taggers and ParSeDA, but /model ${common.model.name} is neither`);
  if (given.paraphrases !== undefined)
    throw new OptionError('training', `/paraphrases is for the task tagger, but /task is ${task}`);
  if (task === 'rlip' && given.vocabulary !== undefined)
    throw new OptionError('training', '/vocabulary is for the task finetune, but /task is rlip');
  if (task === 'finetune' && given.vocabulary === undefined)
    throw new OptionError('training', '/vocabulary is missing, expected all names of objects and relations');
  if (task === 'finetune' && given.initialWeights === undefined)
    throw new OptionError('training', '/initialWeights is missing, expected the pre-trained weights');
  return {
    task,
    ...common,
    losses: {
      qualityLabels: given.losses?.qualityLabels ?? true,
      // Officially used in pre-training alone.
      pseudoLabels: given.losses?.pseudoLabels ?? task === 'rlip',
    },
    noise: given.noise ?? null,
    vocabulary: given.vocabulary === undefined ? null : closedVocabulary(given.vocabulary, given.data),
  };
}
