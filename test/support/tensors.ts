import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../src/records/random.js';

/** Asserts that every number is within `tolerance` of the expected one; NaN equals only NaN. */
export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  assert.equal(actual.length, expected.length, 'number of elements');
  for (let k = 0; k < expected.length; k++)
    assert.ok(
      Math.abs(actual[k]! - expected[k]!) <= tolerance || Object.is(actual[k], expected[k]),
      `[${k}]: ${actual[k]}, expected ${expected[k]}`,
    );
}

/** Asserts that tensors agree within `tolerance` of their largest number, as sums in another order do. */
export async function assertAgree(actual: tf.Tensor, expected: tf.Tensor, tolerance = 1e-5): Promise<void> {
  assert.deepEqual(actual.shape, expected.shape);
  const [a, b] = [await actual.data(), await expected.data()];
  const scale = Array.from(b).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  for (let k = 0; k < b.length; k++)
    assert.ok(Math.abs(a[k]! - b[k]!) <= tolerance * scale, `[${k}]: ${a[k]}, expected ${b[k]}`);
}

/** Returns a function that makes tensors of normal random numbers, the same in each run. */
export function randomTensors(seed: number) {
  const random = new Random(seed);
  return (shape: readonly number[], scale = 1): tf.Tensor =>
    tf.tensor(
      Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => random.normal() * scale),
      [...shape],
    );
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/**
 * Asserts that gradients agree with finite differences of a random weighting of the outputs, along random directions.
 *
 * @param tolerance relative to the norm of the gradient
 */
export async function assertGradients(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  { seed = 7, step = 1e-2, tolerance = 1e-2, directions = 4 } = {},
): Promise<void> {
  const random = randomTensors(seed);
  const output = tf.tidy(() => f(...inputs));
  const weights = random(output.shape);
  const loss = (...all: tf.Tensor[]) => tf.sum(tf.mul(f(...all), weights)) as tf.Scalar;
  const gradients = tf.grads(loss as (...all: tf.Tensor[]) => tf.Tensor)([...inputs]);
  for (const [k, input] of inputs.entries()) {
    assert.deepEqual(gradients[k]!.shape, input.shape, `shape of gradient ${k}`);
    for (let direction = 0; direction < directions; direction++) {
      const along = random(input.shape);
      const at = async (distance: number) => {
        const moved = tf.tidy(() =>
          f(...inputs.map((other, n) => (n === k ? tf.add(other, tf.mul(along, distance)) : other))),
        );
        // Summed in double precision, since the difference of two nearly equal sums is measured.
        const sum = dot(await moved.data(), await weights.data());
        moved.dispose();
        return sum;
      };
      const measured = ((await at(step)) - (await at(-step))) / (2 * step);
      const [g, d] = [await gradients[k]!.data(), await along.data()];
      const claimed = dot(g, d);
      const scale = Math.hypot(...g) * Math.max(1, Math.hypot(...d) / Math.sqrt(d.length || 1));
      assert.ok(
        Math.abs(measured - claimed) <= tolerance * Math.max(scale, 1e-3),
        `input ${k}: the slope is ${measured}, the gradient gives ${claimed}`,
      );
    }
  }
}
