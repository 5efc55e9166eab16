import * as tf from '@tensorflow/tfjs-core';
import { dropoutThreshold } from '../../ops/dropout.js';
import { shapeSize } from './shape-size.js';
import { runProgram } from './webgpu-program.js';

/** One thread computes four elements: a counter of Philox 4×32-10 encrypts to four words. */
const DROPOUT = `
fn multiply(a: u32, b: u32) -> vec2<u32> {
  let low = (a & 0xffff) * (b & 0xffff);
  let first = (a >> 16u) * (b & 0xffff) + (low >> 16u);
  let second = (a & 0xffff) * (b >> 16u) + (first & 0xffff);
  return vec2<u32>((a >> 16u) * (b >> 16u) + (first >> 16u) + (second >> 16u), a * b);
}
fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var k = key;
  for (var round = 0; round < 10; round++) {
    let a = multiply(0xd2511f53u, c.x);
    let b = multiply(0xcd9e8d57u, c.z);
    c = vec4<u32>(b.x ^ c.y ^ k.x, b.y, a.x ^ c.w ^ k.y, a.y);
    k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
fn main(index: i32) {
  let start = 4 * index;
  if (start >= uniforms.count) { return; }
  let mixed = philox(vec4<u32>(u32(seed[0]), 0u, u32(uniforms.draw), 0u), vec2<u32>(0x3ec8f720u, 0x02461e29u));
  let words = philox(vec4<u32>(u32(index), 0u, mixed.z, mixed.w), mixed.xy);
  for (var k = 0; k < min(4, uniforms.count - start); k++) {
    let isKept = (words[k] & 0x7fffff) >= u32(uniforms.threshold);
    result[start + k] = select(0.0, x[start + k] * uniforms.scale, isKept);
  }
}
`;

/** Registers dropout as one program. */
export function registerWebgpuDropout(): void {
  tf.registerKernel({
    kernelName: 'RelflowDropout',
    backendName: 'webgpu',
    kernelFunc: ({ inputs, attrs }) => {
      const { x, seed } = inputs as unknown as { x: tf.TensorInfo; seed: tf.TensorInfo };
      const { rate, index } = attrs as unknown as { rate: number; index: number };
      const count = shapeSize(x.shape);
      return runProgram({
        name: 'dropout',
        code: DROPOUT,
        inputs: { x, seed },
        uniforms: { count, draw: index, threshold: dropoutThreshold(rate) },
        floats: { scale: 1 / (1 - rate) },
        threads: Math.ceil(count / 4),
        shape: x.shape,
      });
    },
  });
}
