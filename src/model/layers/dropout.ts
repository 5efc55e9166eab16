import type * as tf from '@tensorflow/tfjs-core';
import { dropout } from '../ops/dropout.js';

/** Applies dropout with the given rate to a tensor of any shape, and returns the same shape. */
export type Dropout = (x: tf.Tensor, rate: number) => tf.Tensor;

/** Dropout of evaluation mode: returns its input. */
export const noDropout: Dropout = (x) => x;

/**
 * Dropout of training mode for one pass: sets elements to 0 with probability `rate` and scales the others by 1 / (1 − rate).
 * The seed and the order of the calls determine the masks, on every backend.
 *
 * @param seed from 0 to 2³¹ − 1: a number, or a tensor `[]` of integers for a pass that is recorded and repeated
 */
export function seededDropout(seed: number | tf.Scalar): Dropout {
  let index = 0;
  return (x, rate) => (rate > 0 ? dropout(x, rate, { seed, index: index++ }) : x);
}
