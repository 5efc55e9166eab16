import * as tf from '@tensorflow/tfjs-core';
import { product, release, runProgram, zeros } from './webgpu-program.js';

const MOMENTS = `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let slope = gradient[index] * uniforms.scale;
  result[index] = moment[index] * uniforms.beta + select(slope, slope * slope, uniforms.order == 2) * (1.0 - uniforms.beta);
}
`;

const WEIGHTS = `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let spread = sqrt(second[index]) / uniforms.correction + uniforms.epsilon;
  result[index] = weight[index] * uniforms.keep - first[index] / spread * uniforms.rate;
}
`;

/** Adds squares of each of some threads' numbers to a sum of its own: the same numbers in the same order each time. */
const SQUARES = `
fn main(index: i32) {
  if (index >= uniforms.threads) { return; }
  var sum = bitcast<f32>(atomicLoad(&result[index]));
  for (var k = index; k < uniforms.count; k += uniforms.threads) { sum += x[k] * x[k]; }
  atomicStore(&result[index], bitcast<i32>(sum));
}
`;

/** How many threads square an array's numbers, and how many add the sums of those. */
const THREAD_COUNTS = { squares: 4096, sums: 64 };

const PARTIAL_SUMS = `
fn main(index: i32) {
  if (index >= uniforms.threads) { return; }
  var sum = 0.0;
  for (var k = index; k < uniforms.count; k += uniforms.threads) { sum += bitcast<f32>(squares[k]); }
  result[index] = sum;
}
`;

const GLOBAL_NORM = `
fn main(index: i32) {
  if (index > 0) { return; }
  var sum = 0.0;
  for (var k = 0; k < uniforms.count; k++) { sum += sums[k]; }
  result[0] = sqrt(sum);
}
`;

const MOVING_AVERAGE = `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  result[index] = mean[index] * uniforms.decay + x[index] * (1.0 - uniforms.decay);
}
`;

/**
 * What a step of training does with each weight, in few programs: telling a GPU of one costs more than most weights' arithmetic. A
 * program writes one array, so that Adam's step is three of them.
 */
export function registerWebgpuOptimizer(): void {
  const register = (kernelName: string, kernel: (inputs: Inputs, attributes: Attributes) => KernelResult) =>
    tf.registerKernel({
      kernelName,
      backendName: 'webgpu',
      kernelFunc: ({ inputs, attrs }) => kernel(inputs as unknown as Inputs, attrs as unknown as Attributes),
    });
  register('RelflowAdamW', adamW);
  register('RelflowSquares', globalNorm);
  register('RelflowMovingAverage', (inputs, decay) => elementwise('moving average', MOVING_AVERAGE, inputs, decay));
}

type Inputs = Readonly<Record<string, tf.TensorInfo>>;
type Attributes = Readonly<Record<string, number>>;
type KernelResult = tf.TensorInfo | tf.TensorInfo[];

/** A program with a thread for each number of its result, which is as large as its inputs. */
function elementwise(name: string, code: string, inputs: Inputs, numbers: Attributes, uniforms = {}): tf.TensorInfo {
  const { shape } = Object.values(inputs)[0]!;
  const count = product(shape);
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

/** The length of all arrays as one vector. */
function globalNorm(arrays: Inputs): tf.TensorInfo {
  const squares = zeros([THREAD_COUNTS.squares], 'int32');
  for (const x of Object.values(arrays)) {
    const count = product(x.shape);
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
    name: 'sums of squares',
    code: PARTIAL_SUMS,
    inputs: { squares },
    uniforms: { count, threads },
    threads,
    shape: [threads],
  });
  const made = runProgram({
    name: 'length',
    code: GLOBAL_NORM,
    inputs: { sums },
    uniforms: { count: threads },
    threads: 1,
    shape: [1],
  });
  release(squares, sums);
  return made;
}
