import * as tf from '@tensorflow/tfjs-core';
import { detach } from '../ops/detach.js';

/**
 * Padding mask of labels by the official rule for training: a label counts as padding if the elements of its vector sum to 0
 * or less. Many real labels are masked this way; see `ModelCompat.textMaskBySum`.
 * @param vectors label vectors, `[labels, width]`
 * @returns `[images, labels]`, 1 for padding; no gradient flows through it
 */
export function textMask(vectors: tf.Tensor2D, images: number): tf.Tensor2D {
  const flagged = tf.cast(tf.lessEqual(tf.sum(detach(vectors), 1), 0), 'float32');
  return tf.tile(tf.expandDims(flagged, 0) as tf.Tensor2D, [images, 1]);
}
