import type { TrainingBatch } from '../data/training-batch.js';

/** Pairs of an image are padded to a multiple of this. */
const PAIRS = 10;

/** Tokens of a text are padded to a multiple of this. */
export const FIXED_TOKENS = 8;

/**
 * Pads the pairs of a batch, so that batches with about as many pairs have the same shapes. Padding is masked and changes no
 * result but the order of dropout's random numbers.
 * @param most pairs that the model has queries for
 */
export function fixedShapes(batch: TrainingBatch, most: number): TrainingBatch {
  const { slots, attentionMask, sizes } = batch;
  const padded = Math.min(Math.max(slots, most), PAIRS * Math.ceil(slots / PAIRS));
  if (padded === slots) return batch;
  return {
    ...batch,
    slots: padded,
    attentionMask: attentionMask && paddedMask(attentionMask, sizes.length, slots, padded),
  };
}

/** `[images, 2 slots, 2 slots]` → `[images, 2 padded, 2 padded]`: the subjects of each group first, then its objects. */
function paddedMask(mask: Float32Array, images: number, slots: number, padded: number): Float32Array {
  const result = new Float32Array(images * 4 * padded * padded);
  for (let image = 0; image < images; image++)
    for (let row = 0; row < 2 * slots; row++)
      for (const half of [0, 1]) {
        const from = (image * 2 * slots + row) * 2 * slots + half * slots;
        const at = row < slots ? row : row - slots + padded;
        const to = (image * 2 * padded + at) * 2 * padded + half * padded;
        result.set(mask.subarray(from, from + slots), to);
      }
  return result;
}
