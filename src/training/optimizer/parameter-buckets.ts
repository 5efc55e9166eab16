import * as tf from '@tensorflow/tfjs-core';
import { hasKernel } from '../../model/ops/custom-kernel.js';
import type { Parameter } from '../../model/parameter-scope.js';

/** Parameters whose arrays are joined to one, so that one operation works on all of them. */
export type Bucket = readonly Parameter[];

/** Most numbers of a bucket of several parameters: more would only make the intermediate arrays of an operation larger. */
const MAX_SIZE = 2 ** 22;

/**
 * Groups parameters into buckets, in their order. On a backend that updates a parameter in one call, each is alone.
 * @param keyOf parameters share a bucket only if their keys are equal
 */
export function bucketsOf(
  parameters: Iterable<Parameter>,
  keyOf: (parameter: Parameter) => unknown = () => 0,
): Bucket[] {
  const isAlone = hasKernel('RelflowAdamW');
  const buckets: Parameter[][] = [];
  const open = new Map<unknown, { bucket: Parameter[]; size: number }>();
  for (const parameter of parameters) {
    const key = keyOf(parameter);
    let last = open.get(key);
    if (last === undefined || isAlone || last.size + parameter.size > MAX_SIZE) {
      last = { bucket: [], size: 0 };
      buckets.push(last.bucket);
      open.set(key, last);
    }
    last.bucket.push(parameter);
    last.size += parameter.size;
  }
  return buckets;
}

/**
 * Joins the arrays of a bucket's parameters.
 * @returns `[numbers]`, or the array itself for a bucket of one parameter
 */
export const join = (tensors: readonly tf.Tensor[]): tf.Tensor =>
  tensors.length === 1 ? tensors[0]! : tf.concat(tensors.map((tensor) => reshaped(tensor, [tensor.size])));

/** Splits a joined array into those of the bucket's parameters, with the shapes of their variables. */
export function split(bucket: Bucket, joined: tf.Tensor): tf.Tensor[] {
  if (bucket.length === 1) return [joined];
  const parts = tf.split(
    joined,
    bucket.map(({ size }) => size),
  );
  return bucket.map(({ variable }, k) => reshaped(parts[k]!, variable.shape));
}

/** TensorFlow takes an operation to keep a shape, too. */
const reshaped = (tensor: tf.Tensor, shape: number[]): tf.Tensor =>
  tensor.rank === shape.length ? tensor : tf.reshape(tensor, shape);

/** Joins arrays of numbers in main memory to a tensor as `join` does. */
export function joinNumbers(bucket: Bucket, arrays: readonly Float32Array[]): tf.Tensor {
  if (bucket.length === 1) return tf.tensor(arrays[0]!, bucket[0]!.variable.shape, 'float32');
  const numbers = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const array of arrays) {
    numbers.set(array, start);
    start += array.length;
  }
  return tf.tensor1d(numbers);
}

/** Reads a joined array, and splits it into those of the bucket's parameters. */
export async function readNumbers(bucket: Bucket, joined: tf.Tensor): Promise<Float32Array[]> {
  const numbers = (await joined.data()) as Float32Array;
  let end = 0;
  return bucket.map(({ size }) => {
    end += size;
    return numbers.subarray(end - size, end);
  });
}

/** Makes a variable that takes over the memory of a tensor. */
export function takeVariable(tensor: tf.Tensor): tf.Variable {
  const variable = tf.variable(tensor, false);
  tensor.dispose();
  return variable;
}
