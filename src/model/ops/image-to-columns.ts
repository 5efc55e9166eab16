import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from './custom-kernel.js';

export interface WindowOptions {
  /** Cells along a side of a window. */
  readonly window: number;
  readonly stride: number;
  /** Zeros around the image on each side. */
  readonly padding: number;
}

/**
 * The square windows of a convolution, so that it becomes one product of matrices. For small maps: what it makes is
 * `(window / stride)²` times as large as the map.
 * @param x `[batch, height, width, channels]`
 * @returns `[batch, outHeight, outWidth, window · window · channels]`
 */
export function imageToColumns(x: tf.Tensor4D, options: WindowOptions): tf.Tensor4D {
  return hasKernel('RelflowImageToColumns') ? fusedImageToColumns(x, options) : referenceImageToColumns(x, options);
}

/** `windows` of elementary kernels alone: the reference. */
export function referenceImageToColumns(x: tf.Tensor4D, { window, stride, padding }: WindowOptions): tf.Tensor4D {
  const sides: [number, number] = [padding, padding];
  const padded = padding > 0 ? tf.pad(x, [[0, 0], sides, sides, [0, 0]]) : x;
  const [batch, height, width, channels] = padded.shape;
  const count = (length: number) => Math.floor((length - window) / stride) + 1;
  const [rows, columns] = [count(height), count(width)];
  // Every stride-th cell is the first of each stride: the rest is cut away, since a strided slice has no gradient.
  const every = (y: number, x0: number): tf.Tensor => {
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
  for (let y = 0; y < window; y++) for (let x0 = 0; x0 < window; x0++) parts.push(every(y, x0));
  return tf.concat(parts, 3) as tf.Tensor4D;
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
