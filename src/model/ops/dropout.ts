import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from './custom-kernel.js';
import { statelessBits } from './philox.js';

/** Which elements a dropout drops. */
export interface DropoutSeed {
  /** From 0 to 2³¹ − 1: a number, or a tensor `[]` of integers for a computation that is recorded and repeated. */
  readonly seed: number | tf.Scalar;
  /** Distinguishes the dropouts of a pass; from 0 to 2³¹ − 1. */
  readonly index: number;
}

/** Random numbers of 23 bits below this drop their element, so that a number in [0, 1) below `rate`, as float32, does. */
export const dropoutThreshold = (rate: number): number => Math.ceil(Math.fround(rate) * 2 ** 23);

/**
 * Dropout: sets elements to 0 with probability `rate` and multiplies the others by 1 / (1 − rate).
 *
 * The mask depends on seed, index and position alone. It is the same on all backends, devices and numbers of threads, and the
 * gradient computes it again instead of keeping it.
 *
 * @param x any shape
 * @param rate in (0, 1)
 * @returns the shape of x
 *
 * Source: Srivastava et al., 2014; the random numbers are those of TensorFlow's `StatelessRandomUniform`.
 */
export function dropout(x: tf.Tensor, rate: number, { seed, index }: DropoutSeed): tf.Tensor {
  if (!hasKernel('RelflowDropout')) return referenceDropout(x, rate, { seed, index });
  const run = tf.customGrad((...all) => {
    const [input, save] = all as unknown as [tf.Tensor, tf.GradSaveFunc];
    const seeds = typeof seed === 'number' ? tf.scalar(seed, 'int32') : seed;
    save([seeds]);
    const apply = (value: tf.Tensor, key: tf.Tensor) =>
      runKernel('RelflowDropout', { x: value, seed: key }, { rate, index })[0]!;
    return { value: apply(input, seeds), gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => apply(dy, saved!) };
  });
  return run(x);
}

/** Reference implementation of `dropout`, which makes the mask in JavaScript. */
function referenceDropout(x: tf.Tensor, rate: number, { seed, index }: DropoutSeed): tf.Tensor {
  const bits = statelessBits(typeof seed === 'number' ? seed : seed.dataSync()[0]!, index, x.size);
  const threshold = dropoutThreshold(rate);
  const scale = 1 / (1 - rate);
  return tf.mul(
    x,
    tf.tensor(
      Float32Array.from(bits, (value) => (value >= threshold ? scale : 0)),
      x.shape,
    ),
  );
}
