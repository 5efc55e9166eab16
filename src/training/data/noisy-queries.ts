import * as tf from '@tensorflow/tfjs-core';
import type { GivenPairs } from '../../model/query-source.js';
import type { TrainingBatch } from './training-batch.js';

/** Returns the noisy pairs of a batch as queries of a decoder, with the mask against leaks between them. */
export function noisyQueries({ noisy, attentionMask, slots, sizes }: TrainingBatch): GivenPairs {
  const mask = attentionMask && tf.tensor3d(attentionMask, [sizes.length, 2 * slots, 2 * slots]);
  return { groups: noisy, slots, ...(mask && { attentionMask: mask }) };
}
