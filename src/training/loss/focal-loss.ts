import * as tf from '@tensorflow/tfjs-core';

/** Probabilities are clipped to [EPSILON, 1 − EPSILON]. */
const EPSILON = 1e-6;

const probabilities = (logits: tf.Tensor) => tf.clipByValue(tf.sigmoid(logits), EPSILON, 1 - EPSILON);

/**
 * Computes the focal loss of hard or soft targets, divided by N, the number of targets that are 1:
 *
 *     −(Σ_{y=1} (1 − p)² ln p + Σ_{y<1} (1 − y)⁴ p² ln(1 − p)) / N
 *
 * @param logits any shape
 * @param targets the same shape, in [0, 1]
 * @param valid 1 for rows that count, 0 for padding, whose targets are 0; null or omitted when nothing is padding
 * @returns a scalar; N is at least 1
 *
 * Source: Law and Deng, "CornerNet", 2018, equation 1.
 */
export function focalLoss(logits: tf.Tensor, targets: tf.Tensor, valid: tf.Tensor1D | null = null): tf.Scalar {
  const p = probabilities(logits);
  const isPositive = tf.cast(tf.equal(targets, 1), 'float32');
  const positive = tf.mul(tf.mul(tf.square(tf.sub(1, p)), tf.log(p)), isPositive);
  const negativeWeight = tf.square(tf.square(tf.sub(1, targets)));
  const negative = tf.mul(tf.mul(tf.mul(tf.square(p), tf.log(tf.sub(1, p))), negativeWeight), tf.sub(1, isPositive));
  const counted = valid ? tf.mul(negative, tf.expandDims(valid, 1)) : negative;
  const sum = tf.neg(tf.add(tf.sum(positive), tf.sum(counted)));
  return tf.div(sum, tf.maximum(tf.sum(isPositive), 1)) as tf.Scalar;
}

/**
 * Computes the quality focal loss, divided by N, the number of targets above 0:
 *
 *     Σ (y − p)² · −(y ln p + (1 − y) ln(1 − p)) / N
 *
 * @param logits any shape
 * @param targets the same shape, in [0, 1], constant
 * @returns a scalar; N is at least 1
 *
 * Source: Li et al., "Generalized Focal Loss", 2020, equation 5, with β = 2.
 */
export function qualityFocalLoss(logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  const p = probabilities(logits);
  const crossEntropy = tf.neg(tf.add(tf.mul(targets, tf.log(p)), tf.mul(tf.sub(1, targets), tf.log(tf.sub(1, p)))));
  const sum = tf.sum(tf.mul(tf.square(tf.sub(targets, p)), crossEntropy));
  const count = tf.sum(tf.cast(tf.greater(targets, 0), 'float32'));
  return tf.div(sum, tf.maximum(count, 1)) as tf.Scalar;
}
