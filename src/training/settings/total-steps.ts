import { OptionError } from '../../errors.js';
import { refusedImages } from '../data/refused-images.js';
import type { DataSummary } from '../data/training-data.js';
import type { TrainingSettings } from './training-settings.js';

/**
 * Returns the number of optimizer steps of a training, which is at least 1.
 * @param images of the training data; all of them are assumed to be readable
 */
export function totalSteps({ epochs, steps, batchSize, accumulationSteps }: TrainingSettings, images: number): number {
  const batches = Math.floor(images / batchSize) * epochs;
  return Math.max(1, Math.min(Math.floor(batches / accumulationSteps), steps ?? Number.POSITIVE_INFINITY));
}

/**
 * Checks that the data has at least one batch.
 * @throws OptionError that names the number of images, and why others are refused
 */
export function checkFullBatch({ batchSize }: TrainingSettings, { total, rejects }: DataSummary): void {
  const refused = refusedImages(rejects);
  if (total < batchSize)
    throw new OptionError(
      'training',
      `/batchSize ${batchSize}, but the data has only ${total} usable images, expected at least one full batch${refused && `; refused are ${refused}`}`,
    );
}
