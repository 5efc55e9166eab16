import * as tf from '@tensorflow/tfjs-core';

/** Probabilities are held this far away from 0 and 1. */
const EDGE = 1e-6;

const probabilities = (logits: tf.Tensor) => tf.clipByValue(tf.sigmoid(logits), EDGE, 1 - EDGE);

/**
 * Focal loss of hard or soft targets, over the number of those that are 1:
 *
 *     −(Σ_{y=1} (1 − p)² ln p + Σ_{y<1} (1 − y)⁴ p² ln(1 − p)) / N
 *
 * @param logits any shape
 * @param targets the same shape, in [0, 1]
 * @returns a scalar; not divided where no target is 1
 *
 * Source: Law and Deng, "CornerNet", 2018, equation 1.
 */
export function focalLoss(logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  const p = probabilities(logits);
  const holds = tf.cast(tf.equal(targets, 1), 'float32');
  const positive = tf.mul(tf.mul(tf.square(tf.sub(1, p)), tf.log(p)), holds);
  const distance = tf.square(tf.square(tf.sub(1, targets)));
  const negative = tf.mul(tf.mul(tf.mul(tf.square(p), tf.log(tf.sub(1, p))), distance), tf.sub(1, holds));
  const sum = tf.neg(tf.add(tf.sum(positive), tf.sum(negative)));
  return tf.div(sum, tf.maximum(tf.sum(holds), 1)) as tf.Scalar;
}

/**
 * Quality focal loss, over the number of targets above 0:
 *
 *     Σ (y − p)² · −(y ln p + (1 − y) ln(1 − p)) / N
 *
 * @param logits any shape
 * @param targets the same shape, in [0, 1], constant
 * @returns a scalar; not divided where no target is above 0
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
