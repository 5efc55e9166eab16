import type { AugmentationOptions } from '../../src/training/data/augment-image.js';
import type { BatchStreamOptions } from '../../src/training/data/batch-stream.js';
import { officialNoise } from '../../src/training/data/denoising.js';

/** How small images are varied, in every way that there is. */
export const smallAugmentation: AugmentationOptions = {
  flip: 0.5,
  colorJitter: 0.2,
  shorterSides: [48, 64],
  maxSize: 96,
  crop: { probability: 0.5, shorterSides: [64], size: [32, 64] },
};

/** What small batches are made by, whoever reads their images. */
export const smallBatches: Omit<BatchStreamOptions, 'training' | 'reader' | 'prefetchImages'> = {
  seed: 1,
  batchSize: 3,
  maxPairs: 12,
  labels: { objects: 20, relations: 10 },
  noise: officialNoise,
  compat: { leakMaskForFullBatchesOnly: false, labelNoiseWithinBatchSize: false, positivePairsFirst: true },
  shuffleBuffer: 4,
};
