import * as tf from '@tensorflow/tfjs-core';

/**
 * (x − mean) / √(variance + ε) · γ + β over the last axis, the variance being the biased one.
 * @param x `[…, width]`
 * @param gamma `[width]`
 * @param beta `[width]`
 * @returns the shape of x
 */
export function layerNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor {
  return plainLayerNorm(x, gamma, beta, epsilon);
}

/** `layerNorm` of elementary kernels alone: the reference. */
export function plainLayerNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), gamma), beta);
}
