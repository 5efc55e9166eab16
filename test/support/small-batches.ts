import type { AugmentationOptions } from '../../src/training/data/augment-image.js';
import type { BatchStreamOptions } from '../../src/training/data/batch-stream.js';
import { officialNoise } from '../../src/training/data/denoising.js';

/** How small images are varied, in every way that there is. */
export const smallViews: AugmentationOptions = {
  flip: 0.5,
  colour: 0.2,
  shorter: [48, 64],
  longest: 96,
  crop: { probability: 0.5, shorter: [64], sides: [32, 64] },
};

/** What small batches are made by, whoever reads their images. */
export const smallBatches: Omit<BatchStreamOptions, 'training' | 'reader' | 'ahead'> = {
  seed: 1,
  batch: 3,
  pairs: 12,
  texts: { objects: 20, relations: 10 },
  noise: officialNoise,
  compat: { leakMaskForFullBatchesOnly: false, labelNoiseWithinBatchSize: false, positivePairsFirst: true },
  buffer: 4,
};
