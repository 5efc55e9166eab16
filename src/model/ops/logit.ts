import * as tf from '@tensorflow/tfjs-core';

const EPSILON = 1e-5;

/**
 * Inverse of the sigmoid, ln(x / (1 − x)), with x and 1 − x clamped to at least 1e-5.
 * @param x in [0, 1], any shape
 * @returns the shape of x
 *
 * Source: Deformable DETR, `inverse_sigmoid`.
 */
export function logit(x: tf.Tensor): tf.Tensor {
  const inside = tf.clipByValue(x, 0, 1);
  return tf.log(tf.div(tf.maximum(inside, EPSILON), tf.maximum(tf.sub(1, inside), EPSILON)));
}
