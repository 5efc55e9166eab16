import * as tf from '@tensorflow/tfjs-core';
import type { WasmHeap } from '../wasm-heap.js';
import { registerWasmKernel } from './register-wasm-kernel.js';
import { shapeSize } from './shape-size.js';

/** Strides in floats: from one matrix to the next, from one row to the next, from one column to the next. */
interface Strides {
  readonly batch: number;
  readonly row: number;
  readonly column: number;
}

/** Sizes and strides of a matrix product, as the kernel `matmul` takes them. */
interface ProductPlan {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Strides;
  readonly b: Strides;
  /** Shape of the result. */
  readonly shape: readonly number[];
}

/** @throws Error if the shapes do not fit */
function planProduct(a: tf.TensorInfo, b: tf.TensorInfo, transposeA: boolean, transposeB: boolean): ProductPlan {
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== inner)
    throw new Error(`matMul: inner sizes ${k} and ${inner} differ, of shapes [${a.shape}] and [${b.shape}]`);
  const [aBatch, bBatch] = [shapeSize(a.shape.slice(0, -2)), shapeSize(b.shape.slice(0, -2))];
  if (aBatch !== bBatch && aBatch !== 1 && bBatch !== 1)
    throw new Error(`matMul: the batches of [${a.shape}] and [${b.shape}] do not broadcast`);
  const shape = [...tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n];
  const batch = Math.max(aBatch, bBatch);
  // A batch of a that shares one b is one taller matrix.
  const merged = bBatch === 1 && !transposeA;
  return {
    ...(merged ? { batch: 1, m: batch * m } : { batch, m }),
    ...{ n, k },
    a: { batch: merged || aBatch === 1 ? 0 : m * k, ...(transposeA ? { row: 1, column: m } : { row: k, column: 1 }) },
    b: { batch: bBatch === 1 ? 0 : k * n, ...(transposeB ? { row: 1, column: k } : { row: n, column: 1 }) },
    shape,
  };
}

/** Largest size of the window buffer in the gradient of a convolution, in floats. */
const MAX_WINDOW_FLOATS = 1 << 20;

/** Registers matrix products, transposed and batched, and the gradients of a convolution. */
export function registerMatrixKernels(heap: WasmHeap): void {
  const multiply = (
    { batch, m, n, k, a, b }: ProductPlan,
    left: tf.TensorInfo,
    right: tf.TensorInfo,
    to: number,
    add: boolean,
  ) =>
    heap.run('matmul', batch * m * n * k, {
      ...{ batch, m, n, k },
      ...{ a: heap.address(left), aBatch: a.batch, aRow: a.row, aColumn: a.column },
      ...{ b: heap.address(right), bBatch: b.batch, bRow: b.row, bColumn: b.column },
      ...{ c: to, add: add ? 1 : 0, scratch: heap.scratch },
    });

  registerWasmKernel('BatchMatMul', ({ inputs, attributes }) => {
    const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
    const plan = planProduct(a, b, attributes['transposeA'] === true, attributes['transposeB'] === true);
    const to = heap.output(plan.shape);
    multiply(plan, a, b, heap.address(to), false);
    return to;
  });

  registerWasmKernel('_FusedMatMul', ({ inputs, attributes }) => {
    const { a, b, bias } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo; bias?: tf.TensorInfo };
    const activation = attributes['activation'];
    if (activation !== 'linear' && activation !== 'relu')
      throw new Error(`fused matMul: activation ${String(activation)}, expected linear or relu`);
    const plan = planProduct(a, b, attributes['transposeA'] === true, attributes['transposeB'] === true);
    if (bias && shapeSize(bias.shape) !== plan.n)
      throw new Error(`fused matMul: bias [${bias.shape}], expected [${plan.n}]`);
    const to = heap.output(plan.shape);
    const [address, size] = [heap.address(to), shapeSize(plan.shape)];
    if (bias)
      heap.run('fillRows', size, {
        ...{ row: heap.address(bias), to: address },
        ...{ rows: size / Math.max(1, plan.n), width: plan.n },
      });
    multiply(plan, a, b, address, bias !== undefined);
    if (activation === 'relu') heap.run('relu', size, { x: address, count: size });
    return to;
  });

  registerWasmKernel('Conv2DBackpropInput', ({ inputs, attributes }) => {
    const { dy, filter } = inputs as { dy: tf.TensorInfo; filter: tf.TensorInfo };
    const { strides, pad, dataFormat, dimRoundingMode, inputShape } =
      attributes as unknown as tf.Conv2DBackpropInputAttrs;
    const format = tf.backend_util.convertConv2DDataFormat(dataFormat);
    const info = tf.backend_util.computeConv2DInfo(
      inputShape,
      filter.shape as [number, number, number, number],
      strides,
      1,
      pad,
      dimRoundingMode,
      false,
      format,
    );
    const { top, left } = info.padInfo;
    if (info.strideHeight !== info.strideWidth || dataFormat !== 'NHWC')
      throw new Error('conv2d: its gradient supports NHWC and equal strides only');
    const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
    const [down, right, stride] = [info.filterHeight, info.filterWidth, info.strideHeight];
    const taps = down * right * inChannels;
    const byFilter = (address: number, rows: number, to: number) =>
      heap.run('matmul', rows * taps * outChannels, {
        ...{ batch: 1, m: rows, n: taps, k: outChannels },
        ...{ a: address, aBatch: 0, aRow: outChannels, aColumn: 1 },
        ...{ b: heap.address(filter), bBatch: 0, bRow: 1, bColumn: outChannels },
        ...{ c: to, add: 0, scratch: heap.scratch },
      });
    const pixels = batchSize * outHeight * outWidth;
    if (down === 1 && right === 1 && stride === 1 && top === 0 && left === 0) {
      const to = heap.output(inputShape);
      byFilter(heap.address(dy), pixels, heap.address(to));
      return to;
    }
    const to = heap.zeros(inputShape);
    // A few output rows at a time, to bound the memory of their windows.
    const lines = Math.max(1, Math.min(outHeight, Math.floor(MAX_WINDOW_FLOATS / (outWidth * taps))));
    const windows = heap.allocate(lines * outWidth * taps);
    for (let image = 0; image < batchSize; image++)
      for (let first = 0; first < outHeight; first += lines) {
        const count = Math.min(lines, outHeight - first);
        const from = (image * outHeight + first) * outWidth * outChannels;
        byFilter(heap.address(dy) + 4 * from, count * outWidth, windows);
        heap.run('columnsToImage', count * outWidth * taps, {
          ...{ columns: windows, to: heap.address(to) + 4 * image * inHeight * inWidth * inChannels },
          ...{ height: inHeight, width: inWidth, channels: inChannels },
          ...{ first, outHeight: count, outWidth },
          ...{ down, right, stride, top, left },
        });
      }
    heap.free(windows);
    return to;
  });

  registerWasmKernel('Conv2DBackpropFilter', ({ inputs, attributes }) => {
    const { x, dy } = inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
    const { strides, pad, dataFormat, dimRoundingMode, filterShape } =
      attributes as unknown as tf.Conv2DBackpropFilterAttrs;
    const format = tf.backend_util.convertConv2DDataFormat(dataFormat);
    const info = tf.backend_util.computeConv2DInfo(
      x.shape as [number, number, number, number],
      filterShape as [number, number, number, number],
      strides,
      1,
      pad,
      dimRoundingMode,
      false,
      format,
    );
    const { top, left, bottom, right } = info.padInfo;
    if (top + left + bottom + right > 0 || info.strideHeight !== info.strideWidth || dataFormat !== 'NHWC')
      throw new Error('conv2d: the gradient of its filter supports NHWC, equal strides and no padding only');
    const to = heap.output(filterShape);
    heap.run('filterGradient', shapeSize(dy.shape) * shapeSize(filterShape.slice(0, 3)), {
      ...{ x: heap.address(x), dy: heap.address(dy), dw: heap.address(to) },
      ...{ batch: info.batchSize, height: info.inHeight, width: info.inWidth, inputs: info.inChannels },
      ...{ outHeight: info.outHeight, outWidth: info.outWidth, outputs: info.outChannels },
      ...{ down: info.filterHeight, right: info.filterWidth, stride: info.strideHeight, scratch: heap.scratch },
    });
    return to;
  });
}
