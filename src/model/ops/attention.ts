import * as tf from '@tensorflow/tfjs-core';

/** Added to the scores of masked keys; after the softmax their weight is 0. */
export const MASKED_LOGIT = -1e9;

/**
 * Multi-head scaled dot-product attention without linear projections.
 * @param query `[batch, queries, heads · width]`
 * @param key `[batch, keys, heads · width]`
 * @param value `[batch, keys, heads · width]`
 * @param mask added to the scores, of a shape that broadcasts to `[batch, heads, queries, keys]`; null when nothing is masked
 * @param drop dropout of the attention weights in training mode
 * @returns `[batch, queries, heads · width]`
 *
 * Source: Vaswani et al., "Attention Is All You Need", 2017, equation 1.
 */
export function attention(
  query: tf.Tensor3D,
  key: tf.Tensor3D,
  value: tf.Tensor3D,
  heads: number,
  mask: tf.Tensor | null,
  drop: (weights: tf.Tensor) => tf.Tensor = (weights) => weights,
): tf.Tensor3D {
  const width = query.shape[2] / heads;
  const scores = tf.matMul(splitHeads(tf.mul(query, width ** -0.5), heads), splitHeads(key, heads), false, true);
  const weights = tf.softmax(mask ? tf.add(scores, mask) : scores); // [batch, heads, queries, keys]
  return joinHeads(tf.matMul(drop(weights), splitHeads(value, heads)) as tf.Tensor4D);
}

/** Splits channels into heads: `[batch, n, heads · width]` → `[batch, heads, n, width]`. */
export function splitHeads(x: tf.Tensor, heads: number): tf.Tensor4D {
  const [batch, count, channels] = x.shape as [number, number, number];
  return tf.transpose(tf.reshape(x, [batch, count, heads, channels / heads]), [0, 2, 1, 3]);
}

/** Joins heads into channels: `[batch, heads, n, width]` → `[batch, n, heads · width]`. */
export function joinHeads(x: tf.Tensor4D): tf.Tensor3D {
  const [batch, heads, count, width] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, count, heads * width]);
}
