import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from './custom-kernel.js';

/**
 * GELU activation x Φ(x), with the exact cumulative distribution function of the normal distribution.
 * @param x any shape
 * @returns the shape of x
 *
 * Source: Hendrycks and Gimpel, 2016.
 */
export function gelu(x: tf.Tensor): tf.Tensor {
  return hasKernel('RelflowGelu') ? fusedGelu(x) : referenceGelu(x);
}

/** Reference implementation of `gelu`, which uses only TensorFlow.js kernels. */
export function referenceGelu(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

function fusedGelu(x: tf.Tensor): tf.Tensor {
  const run = tf.customGrad((...all) => {
    const [input, save] = all as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([input]);
    const gradFunc = (dy: tf.Tensor, [saved]: tf.Tensor[]) => runKernel('RelflowGeluGradient', { x: saved!, dy });
    return { value: runKernel('RelflowGelu', { x: input })[0]!, gradFunc };
  });
  return run(x);
}
