import type { AugmentationOptions } from '../../src/training/data/augment-image.js';
import type { BatchStreamOptions } from '../../src/training/data/batch-stream.js';
import { officialNoise } from '../../src/training/data/denoising.js';

/** Augmentation of small images that uses every kind of change. */
export const smallAugmentation: AugmentationOptions = {
  flip: 0.5,
  colorJitter: 0.2,
  shorterSides: [48, 64],
  maxSize: 96,
  crop: { probability: 0.5, shorterSides: [64], size: [32, 64] },
};

/** Options of streams of small batches, without the reader of images. */
export const smallBatches: Omit<BatchStreamOptions, 'training' | 'reader' | 'prefetchImages'> = {
  seed: 1,
  batchSize: 3,
  maxPairs: 12,
  labels: { objects: 20, relations: 10 },
  noise: officialNoise,
  compat: { leakMaskForFullBatchesOnly: false, labelNoiseWithinBatchSize: false, positivePairsFirst: true },
  shuffleBuffer: 4,
};
