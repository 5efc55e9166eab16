import type { AugmentedImageReader } from '../data/augmented-image-reader.js';
import type { BatchStreamOptions } from '../data/batch-stream.js';
import type { DataOptions } from '../data/training-data.js';
import type { TrainingSettings } from './training-settings.js';

/** Returns the options of the training data: which images and relations are trained on. */
export const dataOptions = (settings: TrainingSettings): DataOptions => ({
  ...validationOptions(settings),
  heldOut: settings.heldOut,
  ...(typeof settings.fewShot === 'number' && { fewShot: { share: settings.fewShot, seed: settings.seed } }),
  ...(typeof settings.fewShot === 'string' && { imageList: settings.fewShot }),
});

/** Returns the options of the validation data, which keeps all images, and held-out relations too. */
export const validationOptions = (settings: TrainingSettings): DataOptions => ({
  relationThreshold: settings.relationThreshold,
  ...(settings.task === 'finetune' && { vocabulary: settings.vocabulary }),
});

/**
 * Returns the options of the training batches.
 * @param prefetch batches whose images are read ahead; the images of one batch are read concurrently in any case
 */
export const batchOptions = (
  settings: TrainingSettings,
  reader: AugmentedImageReader,
  prefetch = 0,
): BatchStreamOptions => ({
  seed: settings.seed,
  batchSize: settings.batchSize,
  maxPairs: settings.model.pairs,
  labels: settings.labels,
  compat: settings.model.compat,
  training: true,
  ...(settings.canvasMultiple !== undefined && { canvasMultiple: settings.canvasMultiple }),
  shuffleBuffer: settings.shuffleBuffer,
  reader,
  prefetchImages: settings.batchSize * Math.max(1, prefetch),
  ...(settings.task === 'tagger'
    ? {
        noise: settings.noise,
        negatives: true,
        vocabulary: null,
        ...(settings.paraphrases && { paraphrases: settings.paraphrases }),
      }
    : { noise: settings.noise, negatives: false, vocabulary: settings.vocabulary }),
});
