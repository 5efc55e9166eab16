import * as tf from '@tensorflow/tfjs-core';
import { shapeSize } from './shape-size.js';
import { releaseWebgpuBuffer, runProgram, webgpuZeros } from './webgpu-program.js';

/** Updates a moment of Adam; `order` 1 or 2. */
const MOMENTS = `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let g = gradient[index] * uniforms.scale;
  result[index] = moment[index] * uniforms.beta + select(g, g * g, uniforms.order == 2) * (1.0 - uniforms.beta);
}
`;

/** Updates weights from both moments. */
const WEIGHTS = `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let denominator = sqrt(second[index]) / uniforms.correction + uniforms.epsilon;
  result[index] = weight[index] * uniforms.keep - first[index] / denominator * uniforms.rate;
}
`;

/** Adds squares to one partial sum per thread, in the same order each time. */
const SQUARES = `
fn main(index: i32) {
  if (index >= uniforms.threads) { return; }
  var sum = bitcast<f32>(atomicLoad(&result[index]));
  for (var k = index; k < uniforms.count; k += uniforms.threads) { sum += x[k] * x[k]; }
  atomicStore(&result[index], bitcast<i32>(sum));
}
`;

/** Number of threads that square the elements of an array, and of those that add the partial sums. */
const THREAD_COUNTS = { squares: 4096, sums: 64 };

/** Reduces the partial sums of squares to one per thread. */
const PARTIAL_SUMS = `
fn main(index: i32) {
  if (index >= uniforms.threads) { return; }
  var sum = 0.0;
  for (var k = index; k < uniforms.count; k += uniforms.threads) { sum += bitcast<f32>(squares[k]); }
  result[index] = sum;
}
`;

/** Square root of the sum of all partial sums. */
const GLOBAL_NORM = `
fn main(index: i32) {
  if (index > 0) { return; }
  var sum = 0.0;
  for (var k = 0; k < uniforms.count; k++) { sum += sums[k]; }
  result[0] = sqrt(sum);
}
`;

/** Updates an exponential moving average of weights. */
const MOVING_AVERAGE = `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  result[index] = mean[index] * uniforms.decay + x[index] * (1.0 - uniforms.decay);
}
`;

/**
 * Registers AdamW, the global norm and the moving average as few programs, because dispatching one costs more than the
 * arithmetic of most weights. A program writes one array, so an AdamW step takes three.
 */
export function registerWebgpuOptimizer(): void {
  const register = (kernelName: string, kernel: (inputs: Inputs, attributes: Attributes) => KernelResult) =>
    tf.registerKernel({
      kernelName,
      backendName: 'webgpu',
      kernelFunc: ({ inputs, attrs }) => kernel(inputs as unknown as Inputs, attrs as unknown as Attributes),
    });
  register('RelflowAdamW', adamW);
  register('RelflowGlobalNorm', globalNorm);
  register('RelflowMovingAverage', (inputs, decay) => elementwise('moving average', MOVING_AVERAGE, inputs, decay));
}

type Inputs = Readonly<Record<string, tf.TensorInfo>>;
type Attributes = Readonly<Record<string, number>>;
type KernelResult = tf.TensorInfo | tf.TensorInfo[];

/** Runs a program with one thread per element of its result, which has the shape of its inputs. */
function elementwise(name: string, code: string, inputs: Inputs, numbers: Attributes, uniforms = {}): tf.TensorInfo {
  const { shape } = Object.values(inputs)[0]!;
  const count = shapeSize(shape);
  return runProgram({ name, code, inputs, uniforms: { ...uniforms, count }, floats: numbers, threads: count, shape });
}

function adamW(inputs: Inputs, attributes: Attributes): tf.TensorInfo[] {
  const { weight, gradient, first, second } = inputs as Record<
    'weight' | 'gradient' | 'first' | 'second',
    tf.TensorInfo
  >;
  const { scale, beta1, beta2, ...numbers } = attributes as Record<'scale' | 'beta1' | 'beta2', number>;
  const moment = (of: tf.TensorInfo, beta: number, order: 1 | 2) =>
    elementwise('moment', MOMENTS, { moment: of, gradient }, { scale, beta }, { order });
  const moments = { first: moment(first, beta1, 1), second: moment(second, beta2, 2) };
  return [elementwise('AdamW', WEIGHTS, { weight, ...moments }, numbers), moments.first, moments.second];
}

/** Computes the Euclidean norm of all arrays as one vector. */
function globalNorm(arrays: Inputs): tf.TensorInfo {
  const squares = webgpuZeros([THREAD_COUNTS.squares], 'int32');
  for (const x of Object.values(arrays)) {
    const count = shapeSize(x.shape);
    const threads = Math.min(THREAD_COUNTS.squares, count);
    if (count === 0) continue;
    const uniforms = { count, threads };
    runProgram({
      name: 'squares',
      code: SQUARES,
      inputs: { x },
      uniforms,
      threads,
      shape: squares.shape,
      atomic: squares,
    });
  }
  const { squares: count, sums: threads } = THREAD_COUNTS;
  const sums = runProgram({
    name: 'partial sums of squares',
    code: PARTIAL_SUMS,
    inputs: { squares },
    uniforms: { count, threads },
    threads,
    shape: [threads],
  });
  const made = runProgram({
    name: 'global norm',
    code: GLOBAL_NORM,
    inputs: { sums },
    uniforms: { count: threads },
    threads: 1,
    shape: [1],
  });
  releaseWebgpuBuffer(squares, sums);
  return made;
}
