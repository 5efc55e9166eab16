import * as tf from '@tensorflow/tfjs-core';

/** Where dropout takes its random numbers from, so that a training run can be repeated. */
export interface DropoutSource {
  /** A seed that no call had before. */
  next(): number;
}

/** Dropout's rate at each place of the model while it trains; absent in evaluation. */
export type Dropout = (x: tf.Tensor, rate: number) => tf.Tensor;

/** Evaluation: nothing is dropped. */
export const noDropout: Dropout = (x) => x;

/** Training: elements become 0 with probability `rate`, what is left is scaled up. */
export function seededDropout(source: DropoutSource): Dropout {
  return (x, rate) => (rate > 0 ? tf.dropout(x, rate, undefined, source.next()) : x);
}
