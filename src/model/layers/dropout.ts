import * as tf from '@tensorflow/tfjs-core';

/** Source of seeds for dropout, so that a training run can be repeated. */
export interface DropoutSource {
  /** Returns a new seed at each call. */
  next(): number;
}

/** Applies dropout with the given rate to a tensor of any shape, and returns the same shape. */
export type Dropout = (x: tf.Tensor, rate: number) => tf.Tensor;

/** Dropout of evaluation mode: returns its input. */
export const noDropout: Dropout = (x) => x;

/** Dropout of training mode: sets elements to 0 with probability `rate` and scales the others by 1 / (1 − rate). */
export function seededDropout(source: DropoutSource): Dropout {
  return (x, rate) => (rate > 0 ? tf.dropout(x, rate, undefined, source.next()) : x);
}
