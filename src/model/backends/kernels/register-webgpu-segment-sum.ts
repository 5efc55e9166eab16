import * as tf from '@tensorflow/tfjs-core';
import { shapeSize } from './shape-size.js';
import { runProgram, webgpuZeros } from './webgpu-program.js';

/** Sums `x` `[rows, width]` to `[segments, width]`; rows whose segment is out of range are skipped. */
const SEGMENT_SUM = `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let segment = index / uniforms.width;
  let column = index % uniforms.width;
  var sum = 0.0;
  for (var row = 0; row < uniforms.rows; row++) {
    if (segments[row] == segment) { sum += x[row * uniforms.width + column]; }
  }
  result[index] = sum;
}
`;

/**
 * Replaces the sum of rows by segment, which is the gradient of a gather. The backend's kernel adds in the order in which
 * threads run; this one computes each sum on one thread, with the rows in order.
 */
export function registerWebgpuSegmentSum(): void {
  tf.unregisterKernel('UnsortedSegmentSum', 'webgpu');
  tf.registerKernel({
    kernelName: 'UnsortedSegmentSum',
    backendName: 'webgpu',
    kernelFunc: ({ inputs, attrs }) => {
      const { x, segmentIds } = inputs as Record<string, tf.TensorInfo>;
      const { numSegments } = attrs as unknown as tf.UnsortedSegmentSumAttrs;
      const [rows, ...rest] = x!.shape as [number, ...number[]];
      const shape = [numSegments, ...rest];
      const count = shapeSize(shape);
      if (rows === 0 || count === 0) return webgpuZeros(shape);
      return runProgram({
        name: 'segment sum',
        code: SEGMENT_SUM,
        inputs: { x: x!, segments: segmentIds! },
        uniforms: { rows, width: shapeSize(rest), count },
        threads: count,
        shape,
      });
    },
  });
}
