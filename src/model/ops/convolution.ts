import * as tf from '@tensorflow/tfjs-core';

/** Stride, padding and activation of a convolution. */
export interface ConvolutionOptions {
  /** Default 1. */
  readonly stride?: number;
  /** Zeros on each side of the image, default 0. */
  readonly padding?: number;
  /** Default `linear`. */
  readonly activation?: 'linear' | 'relu';
}

/**
 * 2-D convolution with PyTorch's padding: the same number of zeros on each side.
 *
 * Pads the input explicitly, because some backends have gradients only for convolutions without padding.
 *
 * @param x `[batch, height, width, inputs]`
 * @param filter `[window height, window width, inputs, outputs]`
 * @param bias `[outputs]`
 * @returns `[batch, outHeight, outWidth, outputs]`, where outHeight = ⌊(height + 2 padding − window height) / stride⌋ + 1
 *
 * Source: PyTorch, `Conv2d`.
 */
export function convolution(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  bias: tf.Tensor1D,
  { stride = 1, padding = 0, activation = 'linear' }: ConvolutionOptions = {},
): tf.Tensor4D {
  return tf.fused.conv2d({ x: padded(x, padding), filter, strides: stride, pad: 'valid', bias, activation });
}

/**
 * 3 × 3 max pooling with stride 2 and padding 1. The padding is 0, so that the input must not be negative.
 * @param x `[batch, height, width, channels]`, at least 0
 * @returns `[batch, ⌈height / 2⌉, ⌈width / 2⌉, channels]`
 *
 * Source: He et al., 2016, the pooling after the stem.
 */
export function maxPool(x: tf.Tensor4D): tf.Tensor4D {
  return tf.maxPool(padded(x, 1), 3, 2, 'valid');
}

function padded(x: tf.Tensor4D, padding: number): tf.Tensor4D {
  const sides: [number, number] = [padding, padding];
  return padding > 0 ? tf.pad(x, [[0, 0], sides, sides, [0, 0]]) : x;
}
