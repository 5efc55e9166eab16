import type { RlipV2 } from '../model/rlip-v2.js';
import type { Tokenizer } from '../model/text/tokenizer.js';
import { CachedLabelVectors } from './data/cached-label-vectors.js';
import type { Forward } from './loss-gradients.js';
import { rlipForward } from './rlip-forward.js';
import type { TrainingSettings } from './settings/training-settings.js';
import { taggerForward } from './tagger-forward.js';

/**
 * Returns the forward pass of a task.
 * @param tokenMultiple see `tokenizeLabels`
 */
export function createForward(
  settings: TrainingSettings,
  model: RlipV2,
  tokenizer: Tokenizer,
  tokenMultiple = 1,
): Forward {
  const trained = settings.optimizer.textLearningRate > 0;
  const labelVectors = new CachedLabelVectors(model, tokenizer, trained, tokenMultiple);
  return settings.task === 'tagger'
    ? taggerForward(model, labelVectors)
    : rlipForward(model, labelVectors, settings.losses);
}
