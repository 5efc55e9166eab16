import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from './custom-kernel.js';

/** x Φ(x) with the exact normal distribution function. Source: Hendrycks and Gimpel, 2016. */
export function gelu(x: tf.Tensor): tf.Tensor {
  return hasKernel('RelflowGelu') ? fusedGelu(x) : referenceGelu(x);
}

/** `gelu` of elementary kernels alone: the reference. */
export function referenceGelu(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

function fusedGelu(x: tf.Tensor): tf.Tensor {
  const run = tf.customGrad((...all) => {
    const [input, save] = all as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([input]);
    const gradFunc = (dy: tf.Tensor, [kept]: tf.Tensor[]) => runKernel('RelflowGeluGradient', { x: kept!, dy });
    return { value: runKernel('RelflowGelu', { x: input })[0]!, gradFunc };
  });
  return run(x);
}
