import type { TrainingSettings } from './training-settings.js';

/**
 * Returns the number of optimizer steps of a training, which is at least 1.
 * @param images of the training data; all of them are assumed to be readable
 */
export function totalSteps({ epochs, steps, batchSize, accumulationSteps }: TrainingSettings, images: number): number {
  const batches = Math.floor(images / batchSize) * epochs;
  return Math.max(1, Math.min(Math.floor(batches / accumulationSteps), steps ?? Number.POSITIVE_INFINITY));
}
