import * as tf from '@tensorflow/tfjs-core';

export interface ConvolutionOptions {
  readonly stride?: number;
  /** Zeros around the image on each side. */
  readonly padding?: number;
  readonly activation?: 'linear' | 'relu';
}

/**
 * A convolution as PyTorch pads it: the same number of zeros on each side.
 *
 * The zeros are put in before, since on one backend or another gradients are there only for a convolution without them.
 *
 * @param x `[batch, height, width, inputs]`
 * @param filter `[height, width, inputs, outputs]`
 * @param bias `[outputs]`
 */
export function convolution(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  bias: tf.Tensor1D,
  { stride = 1, padding = 0, activation = 'linear' }: ConvolutionOptions = {},
): tf.Tensor4D {
  return tf.fused.conv2d({ x: padded(x, padding), filter, strides: stride, pad: 'valid', bias, activation });
}

/** The largest of each 3 × 3 window, every second one, of numbers that are not negative. */
export function maxPool(x: tf.Tensor4D): tf.Tensor4D {
  return tf.maxPool(padded(x, 1), 3, 2, 'valid');
}

function padded(x: tf.Tensor4D, padding: number): tf.Tensor4D {
  const sides: [number, number] = [padding, padding];
  return padding > 0 ? tf.pad(x, [[0, 0], sides, sides, [0, 0]]) : x;
}
