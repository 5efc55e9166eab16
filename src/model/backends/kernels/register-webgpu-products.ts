import * as tf from '@tensorflow/tfjs-core';
import { shapeSize } from './shape-size.js';
import { runTiledProduct, type TileFactor } from './webgpu-tiled-product.js';

/** Fewest rows and columns of a product for which tiles pay. */
const LEAST_EDGE = 32;

/**
 * Registers products by tiles where the backend's programs are poor: the gradient of a convolution's filter, and products of
 * transposed matrices, which gradients of linear layers are.
 */
export function registerWebgpuProducts(): void {
  replace('Conv2DBackpropFilter', filterGradient);
  replace('BatchMatMul', transposedProduct);
}

/** Replaces a kernel of the backend by one that returns null for what it leaves to the backend's. */
function replace(kernelName: string, kernel: (call: KernelCall) => tf.TensorInfo | null): void {
  const backendKernel = tf.getKernel(kernelName, 'webgpu')!;
  tf.unregisterKernel(kernelName, 'webgpu');
  tf.registerKernel({ ...backendKernel, kernelFunc: (call) => kernel(call) ?? backendKernel.kernelFunc(call) });
}

type KernelCall = Parameters<tf.KernelFunc>[0];

/**
 * The windows of an image, transposed: a row for each number of a window, a term for each position of the result. The backend's
 * program has one thread for each element of the filter, which reads two numbers from memory for each term; a tile reads one for
 * each 32.
 */
const WINDOWS: TileFactor = {
  limit: 'rows',
  offset: `(at / uniforms.inputs / uniforms.windowWidth * uniforms.width + at / uniforms.inputs % uniforms.windowWidth)
    * uniforms.inputs + at % uniforms.inputs`,
  prepare: `
    let y = term / uniforms.outWidth;
    let top = y / uniforms.outHeight * uniforms.height + y % uniforms.outHeight * uniforms.strideY;
    let base = (top * uniforms.width + term % uniforms.outWidth * uniforms.strideX) * uniforms.inputs;`,
  number: 'x[base + offset]',
  alongTerms: false,
};

const OUTPUT_GRADIENT: TileFactor = {
  limit: 'columns',
  offset: 'at',
  number: 'dy[term * uniforms.columns + offset]',
  alongTerms: false,
};

/** The gradient of a convolution's filter; null for convolutions that pad by themselves. */
function filterGradient({ inputs, attrs }: KernelCall): tf.TensorInfo | null {
  const { x, dy } = inputs as Record<'x' | 'dy', tf.TensorInfo>;
  const { strides, pad, dataFormat, dimRoundingMode, filterShape } = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
  const format = tf.backend_util.convertConv2DDataFormat(dataFormat);
  const shape = x.shape as [number, number, number, number];
  const info = tf.backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, dimRoundingMode, false, format);
  const { top, bottom, left, right } = info.padInfo;
  if (format !== 'channelsLast' || top + bottom + left + right > 0) return null;
  const { outHeight, outWidth, filterHeight, filterWidth } = info;
  return runTiledProduct({
    name: 'filter gradient',
    inputs: { x, dy },
    uniforms: {
      ...{ outHeight, outWidth, height: info.inHeight, width: info.inWidth, inputs: info.inChannels },
      ...{ windowWidth: filterWidth, strideY: info.strideHeight, strideX: info.strideWidth },
    },
    ...{ left: WINDOWS, right: OUTPUT_GRADIENT, batches: 1 },
    rows: filterHeight * filterWidth * info.inChannels,
    columns: info.outChannels,
    terms: info.batchSize * outHeight * outWidth,
    shape: filterShape,
  });
}

/** A factor of a product in an array of batches, of which each row or column is a run of terms, or each term a run of these. */
const factor = (array: 'a' | 'b', limit: TileFactor['limit'], alongTerms: boolean): TileFactor => ({
  ...{ limit, alongTerms },
  offset: alongTerms ? 'at * uniforms.terms' : 'at',
  number: `${array}[batch * uniforms.${array}Step + ${alongTerms ? 'term' : `term * uniforms.${limit}`} + offset]`,
});

/** A product in which a factor is transposed; null for others, for small ones and for factors of different batches. */
function transposedProduct({ inputs, attrs }: KernelCall): tf.TensorInfo | null {
  const { a, b } = inputs as Record<'a' | 'b', tf.TensorInfo>;
  const { transposeA, transposeB } = attrs as unknown as tf.BatchMatMulAttrs;
  const [aBatch, bBatch] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const [rows, terms] = transposed(a.shape, transposeA);
  const [, columns] = transposed(b.shape, transposeB);
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(aBatch, bBatch);
  const isSame = shapeSize(aBatch) === 1 || shapeSize(bBatch) === 1 || tf.util.arraysEqual(aBatch, bBatch);
  const isSmall = rows < LEAST_EDGE || columns < LEAST_EDGE;
  if ((!transposeA && !transposeB) || isSmall || !isSame || a.dtype !== 'float32' || b.dtype !== 'float32') return null;
  const step = (shape: readonly number[], size: number) => (shapeSize(shape) === 1 ? 0 : size);
  return runTiledProduct({
    name: `product ${transposeA} ${transposeB}`,
    inputs: { a, b },
    uniforms: { aStep: step(aBatch, rows * terms), bStep: step(bBatch, terms * columns) },
    left: factor('a', 'rows', !transposeA),
    right: factor('b', 'columns', transposeB),
    ...{ batches: shapeSize(batch), rows, columns, terms },
    shape: [...batch, rows, columns],
  });
}

const transposed = (shape: readonly number[], isTransposed: boolean): [number, number] => {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return isTransposed ? [columns, rows] : [rows, columns];
};
