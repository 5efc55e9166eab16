import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from './custom-kernel.js';

/** Windows of a convolution. */
export interface WindowOptions {
  /** Cells along a side of a window. */
  readonly window: number;
  /** Distance between neighboring windows, in cells. */
  readonly stride: number;
  /** Zeros on each side of the image. */
  readonly padding: number;
}

/**
 * Gathers the square windows of a convolution (im2col), so that the convolution becomes one matrix product. Meant for small
 * maps: the result is `(window / stride)²` times as large as the map.
 * @param x `[batch, height, width, channels]`
 * @returns `[batch, outHeight, outWidth, window · window · channels]`
 *
 * Source: Chellapilla et al., 2006; PyTorch, `unfold`.
 */
export function imageToColumns(x: tf.Tensor4D, options: WindowOptions): tf.Tensor4D {
  return hasKernel('RelflowImageToColumns') ? fusedImageToColumns(x, options) : referenceImageToColumns(x, options);
}

/** Reference implementation of `imageToColumns`, which uses only TensorFlow.js kernels. */
export function referenceImageToColumns(x: tf.Tensor4D, { window, stride, padding }: WindowOptions): tf.Tensor4D {
  const sides: [number, number] = [padding, padding];
  const padded = padding > 0 ? tf.pad(x, [[0, 0], sides, sides, [0, 0]]) : x;
  const [batch, height, width, channels] = padded.shape;
  const count = (length: number) => Math.floor((length - window) / stride) + 1;
  const [rows, columns] = [count(height), count(width)];
  // Selects every stride-th cell by reshaping and slicing, because a strided slice has no gradient.
  const strided = (y: number, x0: number): tf.Tensor => {
    const [down, across] = [rows * stride, columns * stride];
    const grown = tf.pad(padded, [
      [0, 0],
      [0, Math.max(0, y + down - height)],
      [0, Math.max(0, x0 + across - width)],
      [0, 0],
    ]);
    const part = tf.slice(grown, [0, y, x0, 0], [batch, down, across, channels]);
    const cells = tf.reshape(part, [batch * rows, stride, columns, stride * channels]);
    const first = tf.slice(cells, [0, 0, 0, 0], [batch * rows, 1, columns, channels]);
    return tf.reshape(first, [batch, rows, columns, channels]);
  };
  const parts: tf.Tensor[] = [];
  for (let y = 0; y < window; y++) for (let x0 = 0; x0 < window; x0++) parts.push(strided(y, x0));
  return tf.concat(parts, 3) as tf.Tensor4D; // [batch, outHeight, outWidth, window · window · channels]
}

function fusedImageToColumns(x: tf.Tensor4D, options: WindowOptions): tf.Tensor4D {
  const attributes = { ...options };
  const run = tf.customGrad((...all) => {
    const [input] = all as unknown as [tf.Tensor4D];
    const { shape } = input;
    const gradFunc = (dy: tf.Tensor) =>
      runKernel('RelflowImageToColumnsGradient', { dy }, { ...attributes, shape })[0]!;
    return { value: runKernel('RelflowImageToColumns', { x: input }, attributes)[0]!, gradFunc };
  });
  return run(x) as tf.Tensor4D;
}
