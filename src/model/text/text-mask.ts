import * as tf from '@tensorflow/tfjs-core';
import { detach } from '../ops/detach.js';

/**
 * The official rule by which a training run takes label vectors for padding: the sum of their elements is not above 0.
 * Many real labels are flagged so; see `ModelCompat.textMaskBySum`.
 * @param vectors `[texts, width]`
 * @returns `[images, texts]`, 1 where flagged; constant
 */
export function textMask(vectors: tf.Tensor2D, images: number): tf.Tensor2D {
  const flagged = tf.cast(tf.lessEqual(tf.sum(detach(vectors), 1), 0), 'float32');
  return tf.tile(tf.expandDims(flagged, 0) as tf.Tensor2D, [images, 1]);
}
