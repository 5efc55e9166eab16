import { type Dropout, noDropout, seededDropout } from '../model/layers/dropout.js';
import { randomStream, STREAMS } from './data/random-stream.js';
import type { TrainingSettings } from './settings/training-settings.js';

/**
 * Returns the dropout of one pass. Its masks depend on seed, step and batch alone, so that a pass can be repeated.
 * @param step counted from 0
 * @param part which batch of the step, counted from 0
 */
export function stepDropout({ seed, model }: TrainingSettings, step: number, part: number): Dropout {
  if (model.dropout <= 0 && !model.textDropout) return noDropout;
  const seeds = randomStream(seed, STREAMS.dropout, step, part);
  let draws = 0;
  // The count keeps the seeds of a step distinct; their order is that of the model's layers.
  return seededDropout({ next: () => Math.floor(seeds.next() * 2 ** 31) + ++draws });
}
