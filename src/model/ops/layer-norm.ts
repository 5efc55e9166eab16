import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from './custom-kernel.js';

/**
 * Layer normalization over the last axis: (x − mean) / √(variance + ε) · γ + β, with the biased variance.
 * @param x `[…, width]`
 * @param gamma `[width]`
 * @param beta `[width]`
 * @returns the shape of x
 *
 * Source: Ba et al., 2016.
 */
export function layerNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor {
  return hasKernel('RelflowLayerNorm')
    ? fusedLayerNorm(x, gamma, beta, epsilon)
    : referenceLayerNorm(x, gamma, beta, epsilon);
}

/** Reference implementation of `layerNorm`, which uses only TensorFlow.js kernels. */
export function referenceLayerNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor {
  const centered = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centered), -1, true); // […, 1]
  return tf.add(tf.mul(tf.mul(centered, tf.rsqrt(tf.add(variance, epsilon))), gamma), beta);
}

function fusedLayerNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor {
  const run = tf.customGrad((...all) => {
    const [input, scale, shift] = all as tf.Tensor[];
    const save = all[3] as unknown as tf.GradSaveFunc;
    const [value, statistics] = runKernel(
      'RelflowLayerNorm',
      { x: input!, gamma: scale!, beta: shift! },
      { epsilon },
    ) as [tf.Tensor, tf.Tensor];
    save([input!, scale!, statistics]);
    const gradFunc = (dy: tf.Tensor, [savedX, savedGamma, savedStatistics]: tf.Tensor[]) =>
      runKernel('RelflowLayerNormGradient', { x: savedX!, gamma: savedGamma!, statistics: savedStatistics!, dy });
    return { value, gradFunc };
  });
  return run(x, gamma, beta);
}
