import type * as tf from '@tensorflow/tfjs-core';
import { dropoutThreshold } from '../../ops/dropout.js';
import type { WasmHeap } from '../wasm-heap.js';
import { type KernelCall, registerWasmKernel } from './register-wasm-kernel.js';
import { shapeSize } from './shape-size.js';

/** Registers the kernels of relflow's own operations, which the functions in src/model/ops describe. */
export function registerModelKernels(heap: WasmHeap): void {
  registerNorms(heap);
  registerElementwise(heap);
  registerDeformableAttention(heap);
  registerWindows(heap);
  registerLinear(heap);
  registerOptimizer(heap);
}

function registerWindows(heap: WasmHeap): void {
  const sizesOf = (shape: readonly number[], attributes: KernelCall['attributes']) => {
    const { window, stride, padding } = attributes as { window: number; stride: number; padding: number };
    const [batch, height, width, channels] = shape as [number, number, number, number];
    const out = (length: number) => Math.floor((length + 2 * padding - window) / stride) + 1;
    return {
      ...{ batch, height, width, channels, outHeight: out(height), outWidth: out(width) },
      taps: { down: window, right: window, stride, top: padding, left: padding },
      area: window * window * channels,
    };
  };
  registerWasmKernel('RelflowImageToColumns', ({ inputs, attributes }) => {
    const x = inputs['x']!;
    const { batch, height, width, channels, outHeight, outWidth, taps, area } = sizesOf(x.shape, attributes);
    const to = heap.output([batch, outHeight, outWidth, area]);
    heap.run('imageToColumns', batch * outHeight * outWidth * area, {
      ...{ x: heap.address(x), to: heap.address(to) },
      ...{ batch, height, width, channels, outHeight, outWidth },
      ...taps,
    });
    return to;
  });
  registerWasmKernel('RelflowImageToColumnsGradient', ({ inputs, attributes }) => {
    const dy = inputs['dy']!;
    const shape = attributes['shape'] as number[];
    const { batch, height, width, channels, outHeight, outWidth, taps, area } = sizesOf(shape, attributes);
    const to = heap.zeros(shape);
    for (let image = 0; image < batch; image++)
      heap.run('columnsToImage', outHeight * outWidth * area, {
        columns: heap.address(dy) + 4 * image * outHeight * outWidth * area,
        to: heap.address(to) + 4 * image * height * width * channels,
        ...{ height, width, channels, first: 0, outHeight, outWidth },
        ...taps,
      });
    return to;
  });
}

function registerLinear(heap: WasmHeap): void {
  const sizesOf = (x: tf.TensorInfo, weight: tf.TensorInfo) => {
    const [inputs, outputs] = weight.shape as [number, number];
    const rows = shapeSize(x.shape) / inputs;
    return { rows, inputs, outputs };
  };
  const multiply = (
    [m, n, k]: readonly [number, number, number],
    [a, aRow, aColumn]: readonly [number, number, number],
    [b, bRow, bColumn]: readonly [number, number, number],
    to: number,
    add: boolean,
  ) =>
    heap.run('matmul', m * n * k, {
      ...{ batch: 1, m, n, k },
      ...{ a, aBatch: 0, aRow, aColumn },
      ...{ b, bBatch: 0, bRow, bColumn },
      ...{ c: to, add: add ? 1 : 0, scratch: heap.scratch },
    });

  registerWasmKernel('RelflowLinear', ({ inputs, attributes }) => {
    const { x, weight, bias } = inputs as { x: tf.TensorInfo; weight: tf.TensorInfo; bias: tf.TensorInfo };
    const { rows, inputs: k, outputs: n } = sizesOf(x, weight);
    const to = heap.output([...x.shape.slice(0, -1), n]);
    const address = heap.address(to);
    heap.run('fillRows', rows * n, { row: heap.address(bias), to: address, rows, width: n });
    multiply([rows, n, k], [heap.address(x), k, 1], [heap.address(weight), n, 1], address, true);
    if (attributes['activation'] === 'relu') heap.run('relu', rows * n, { x: address, count: rows * n });
    return to;
  });

  registerWasmKernel('RelflowLinearGradient', ({ inputs }) => {
    const { x, weight, dy, y } = inputs as Record<string, tf.TensorInfo | undefined>;
    const { rows, inputs: k, outputs: n } = sizesOf(x!, weight!);
    const [dx, dWeight, dBias] = [heap.output(x!.shape), heap.output(weight!.shape), heap.output([n])];
    const masked = y ? heap.allocate(rows * n) : heap.address(dy!);
    if (y)
      heap.run('reluGradient', rows * n, {
        ...{ y: heap.address(y), dy: heap.address(dy!), to: masked },
        count: rows * n,
      });
    multiply([rows, k, n], [masked, n, 1], [heap.address(weight!), 1, n], heap.address(dx), false);
    multiply([k, n, rows], [heap.address(x!), 1, k], [masked, n, 1], heap.address(dWeight), false);
    heap.run('sums', rows * n, { x: masked, to: heap.address(dBias), outer: 1, count: rows, inner: n, factor: 1 });
    if (y) heap.free(masked);
    return [dx, dWeight, dBias];
  });
}

function registerOptimizer(heap: WasmHeap): void {
  registerWasmKernel('RelflowAdamW', ({ inputs, attributes }) => {
    const { weight, gradient, first, second } = inputs as Record<string, tf.TensorInfo>;
    const { scale, beta1, beta2, rate, correction, epsilon, keep } = attributes as Record<string, number>;
    const count = shapeSize(weight!.shape);
    // Not in place, because another variable may share a weight's memory.
    const { shape } = weight!;
    const [newWeight, newFirst, newSecond] = [heap.output(shape), heap.output(shape), heap.output(shape)];
    heap.run('adamW', 4 * count, {
      ...{ weights: heap.address(weight!), gradients: heap.address(gradient!) },
      ...{ first: heap.address(first!), second: heap.address(second!), newWeights: heap.address(newWeight) },
      ...{ newFirst: heap.address(newFirst), newSecond: heap.address(newSecond), count },
      ...{ scale: scale!, beta1: beta1!, beta2: beta2!, rate: rate! },
      ...{ correction: correction!, epsilon: epsilon!, keep: keep! },
    });
    return [newWeight, newFirst, newSecond];
  });
  registerWasmKernel('RelflowGlobalNorm', ({ inputs }) => {
    const at = heap.allocate(4);
    heap.setDouble(at, 0);
    for (const tensor of Object.values(inputs))
      heap.run('addSquares', 0, { x: heap.address(tensor), count: shapeSize(tensor.shape), to: at });
    const sum = heap.double(at);
    heap.free(at);
    const to = heap.output([1]);
    heap.backend.typedArrayFromHeap(to).set([Math.sqrt(sum)]);
    return to;
  });
}

function registerNorms(heap: WasmHeap): void {
  registerWasmKernel('RelflowLayerNorm', ({ inputs, attributes }) => {
    const { x, gamma, beta } = inputs as { x: tf.TensorInfo; gamma: tf.TensorInfo; beta: tf.TensorInfo };
    const width = shapeSize(gamma.shape);
    const size = shapeSize(x.shape);
    const rows = size / width;
    const [to, statistics] = [heap.output(x.shape), heap.output([rows, 2])];
    heap.run('layerNorm', 3 * size, {
      ...{ x: heap.address(x), gamma: heap.address(gamma), beta: heap.address(beta) },
      ...{ to: heap.address(to), statistics: heap.address(statistics) },
      ...{ rows, width, epsilon: attributes['epsilon'] as number },
    });
    return [to, statistics];
  });

  registerWasmKernel('RelflowLayerNormGradient', ({ inputs }) => {
    const { x, gamma, statistics, dy } = inputs as Record<string, tf.TensorInfo>;
    const width = shapeSize(gamma!.shape);
    const size = shapeSize(x!.shape);
    const rows = size / width;
    const dx = heap.output(x!.shape);
    const [dGamma, dBeta] = [heap.zeros(gamma!.shape), heap.zeros(gamma!.shape)];
    const common = {
      ...{ x: heap.address(x!), dy: heap.address(dy!), statistics: heap.address(statistics!) },
      ...{ rows, width },
    };
    heap.run('layerNormGradient', 3 * size, { ...common, gamma: heap.address(gamma!), dx: heap.address(dx) });
    heap.run('layerNormParameterGradient', 2 * size, {
      ...common,
      ...{ dGamma: heap.address(dGamma), dBeta: heap.address(dBeta) },
    });
    return [dx, dGamma, dBeta];
  });
}

function registerElementwise(heap: WasmHeap): void {
  registerWasmKernel('RelflowGelu', ({ inputs }) => {
    const x = inputs['x']!;
    const to = heap.output(x.shape);
    const size = shapeSize(x.shape);
    heap.run('gelu', 16 * size, { x: heap.address(x), to: heap.address(to), count: size });
    return to;
  });
  registerWasmKernel('RelflowGeluGradient', ({ inputs }) => {
    const { x, dy } = inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
    const dx = heap.output(x.shape);
    const size = shapeSize(x.shape);
    heap.run('geluGradient', 32 * size, {
      ...{ x: heap.address(x), dy: heap.address(dy), dx: heap.address(dx) },
      count: size,
    });
    return dx;
  });
  registerWasmKernel('RelflowDropout', ({ inputs, attributes }) => {
    const { x, seed } = inputs as { x: tf.TensorInfo; seed: tf.TensorInfo };
    const { rate, index } = attributes as { rate: number; index: number };
    const to = heap.output(x.shape);
    const count = shapeSize(x.shape);
    heap.run('dropout', 8 * count, {
      ...{ x: heap.address(x), seed: heap.address(seed), to: heap.address(to), count },
      ...{ index, threshold: dropoutThreshold(rate), scale: 1 / (1 - rate) },
    });
    return to;
  });
  registerWasmKernel('RelflowReluGradient', ({ inputs }) => {
    const { y, dy } = inputs as { y: tf.TensorInfo; dy: tf.TensorInfo };
    const to = heap.output(y.shape);
    const count = shapeSize(y.shape);
    heap.run('reluGradient', count, { y: heap.address(y), dy: heap.address(dy), to: heap.address(to), count });
    return to;
  });
  registerWasmKernel('RelflowSoftmaxGradient', ({ inputs }) => {
    const { y, dy } = inputs as { y: tf.TensorInfo; dy: tf.TensorInfo };
    const dx = heap.output(y.shape);
    const width = y.shape[y.shape.length - 1]!;
    const size = shapeSize(y.shape);
    if (size > 0)
      heap.run('softmaxGradient', 2 * size, {
        ...{ y: heap.address(y), dy: heap.address(dy), dx: heap.address(dx) },
        ...{ rows: size / width, width },
      });
    return dx;
  });
}

function registerDeformableAttention(heap: WasmHeap): void {
  const sizesOf = ({ value, weights }: Record<string, tf.TensorInfo>) => {
    const [batch, tokens, heads, width] = value!.shape as [number, number, number, number];
    const [, queries, , levels, points] = weights!.shape as [number, number, number, number, number];
    return {
      sizes: { batch, tokens, queries, heads, levels, points, width },
      work: batch * queries * heads * levels * points * width,
      to: [batch, queries, heads * width],
    };
  };
  registerWasmKernel('RelflowDeformableAttention', ({ inputs }) => {
    const { value, levels, locations, weights } = inputs as Record<string, tf.TensorInfo>;
    const { sizes, work, to: shape } = sizesOf(inputs);
    const to = heap.output(shape);
    heap.run('deformableAttention', 4 * work, {
      ...{ value: heap.address(value!), sizes: heap.address(levels!) },
      ...{ locations: heap.address(locations!), weights: heap.address(weights!), to: heap.address(to) },
      ...sizes,
    });
    return to;
  });
  registerWasmKernel('RelflowDeformableAttentionGradient', ({ inputs }) => {
    const { value, levels, locations, weights, dy } = inputs as Record<string, tf.TensorInfo>;
    const { sizes, work } = sizesOf(inputs);
    const dValue = heap.zeros(value!.shape);
    const [dLocations, dWeights] = [heap.output(locations!.shape), heap.output(weights!.shape)];
    heap.run('deformableAttentionGradient', 12 * work, {
      ...{ value: heap.address(value!), sizes: heap.address(levels!) },
      ...{ locations: heap.address(locations!), weights: heap.address(weights!), dy: heap.address(dy!) },
      ...{ dValue: heap.address(dValue), dLocations: heap.address(dLocations), dWeights: heap.address(dWeights) },
      ...sizes,
    });
    return [dValue, dLocations, dWeights];
  });
}
