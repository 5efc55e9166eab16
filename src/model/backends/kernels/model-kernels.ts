import type * as tf from '@tensorflow/tfjs-core';
import type { WasmHeap } from '../wasm-heap.js';
import { registerWasmKernel } from './register-kernel.js';

const product = (shape: readonly number[]) => shape.reduce((all, size) => all * size, 1);

/** Kernels of relflow's own operations: see `fused` in ops/fused.ts for what each takes and gives. */
export function registerModelKernels(heap: WasmHeap): void {
  registerNorms(heap);
  registerElementwise(heap);
  registerDeformableAttention(heap);
}

function registerNorms(heap: WasmHeap): void {
  registerWasmKernel('RelflowLayerNorm', ({ inputs, attributes }) => {
    const { x, gamma, beta } = inputs as { x: tf.TensorInfo; gamma: tf.TensorInfo; beta: tf.TensorInfo };
    const width = product(gamma.shape);
    const size = product(x.shape);
    const rows = size / width;
    const [to, statistics] = [heap.output(x.shape), heap.output([rows, 2])];
    heap.run(
      'layerNorm',
      3 * size,
      heap.address(x),
      heap.address(gamma),
      heap.address(beta),
      heap.address(to),
      heap.address(statistics),
      rows,
      width,
      attributes['epsilon'] as number,
    );
    return [to, statistics];
  });

  registerWasmKernel('RelflowLayerNormGradient', ({ inputs }) => {
    const { x, gamma, statistics, dy } = inputs as Record<string, tf.TensorInfo>;
    const width = product(gamma!.shape);
    const size = product(x!.shape);
    const rows = size / width;
    const dx = heap.output(x!.shape);
    const [dGamma, dBeta] = [heap.zeros(gamma!.shape), heap.zeros(gamma!.shape)];
    const [xAt, dyAt, statisticsAt] = [heap.address(x!), heap.address(dy!), heap.address(statistics!)];
    heap.run(
      'layerNormGradient',
      3 * size,
      xAt,
      heap.address(gamma!),
      dyAt,
      statisticsAt,
      heap.address(dx),
      rows,
      width,
    );
    heap.run(
      'layerNormParameterGradient',
      2 * size,
      xAt,
      dyAt,
      statisticsAt,
      heap.address(dGamma),
      heap.address(dBeta),
      rows,
      width,
    );
    return [dx, dGamma, dBeta];
  });
}

function registerElementwise(heap: WasmHeap): void {
  registerWasmKernel('RelflowGelu', ({ inputs }) => {
    const x = inputs['x']!;
    const to = heap.output(x.shape);
    const size = product(x.shape);
    heap.run('gelu', 16 * size, heap.address(x), heap.address(to), size);
    return to;
  });
  registerWasmKernel('RelflowGeluGradient', ({ inputs }) => {
    const { x, dy } = inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
    const dx = heap.output(x.shape);
    const size = product(x.shape);
    heap.run('geluGradient', 32 * size, heap.address(x), heap.address(dy), heap.address(dx), size);
    return dx;
  });
  registerWasmKernel('RelflowSoftmaxGradient', ({ inputs }) => {
    const { y, dy } = inputs as { y: tf.TensorInfo; dy: tf.TensorInfo };
    const dx = heap.output(y.shape);
    const width = y.shape[y.shape.length - 1]!;
    const size = product(y.shape);
    if (size > 0)
      heap.run('softmaxGradient', 2 * size, heap.address(y), heap.address(dy), heap.address(dx), size / width, width);
    return dx;
  });
}

function registerDeformableAttention(heap: WasmHeap): void {
  const sizesOf = ({ value, weights }: Record<string, tf.TensorInfo>) => {
    const [batch, tokens, heads, width] = value!.shape as [number, number, number, number];
    const [, queries, , levels, points] = weights!.shape as [number, number, number, number, number];
    return {
      sizes: [batch, tokens, queries, heads, levels, points, width] as const,
      work: batch * queries * heads * levels * points * width,
      to: [batch, queries, heads * width],
    };
  };
  registerWasmKernel('RelflowDeformableAttention', ({ inputs }) => {
    const { value, levels, locations, weights } = inputs as Record<string, tf.TensorInfo>;
    const { sizes, work, to: shape } = sizesOf(inputs);
    const to = heap.output(shape);
    heap.run(
      'deformableAttention',
      4 * work,
      heap.address(value!),
      heap.address(levels!),
      heap.address(locations!),
      heap.address(weights!),
      heap.address(to),
      ...sizes,
    );
    return to;
  });
  registerWasmKernel('RelflowDeformableAttentionGradient', ({ inputs }) => {
    const { value, levels, locations, weights, dy } = inputs as Record<string, tf.TensorInfo>;
    const { sizes, work } = sizesOf(inputs);
    const dValue = heap.zeros(value!.shape);
    const [dLocations, dWeights] = [heap.output(locations!.shape), heap.output(weights!.shape)];
    heap.run(
      'deformableAttentionGradient',
      12 * work,
      heap.address(value!),
      heap.address(levels!),
      heap.address(locations!),
      heap.address(weights!),
      heap.address(dy!),
      heap.address(dValue),
      heap.address(dLocations),
      heap.address(dWeights),
      ...sizes,
    );
    return [dValue, dLocations, dWeights];
  });
}
