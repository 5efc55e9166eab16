import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { BACKENDS } from '../../../src/model/backends/backend-names.js';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { seededDropout } from '../../../src/model/layers/dropout.js';
import { dropout } from '../../../src/model/ops/dropout.js';
import { philox, statelessBits } from '../../../src/model/ops/philox.js';
import { backendOrSkip } from '../../support/backends.js';
import { randomTensors } from '../../support/tensors.js';

const random = randomTensors(9);

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

/** The result of a dropout by its definition: u = bits / 2²³ in [0, 1), and an element is dropped if u < rate. */
function expected(values: ArrayLike<number>, rate: number, seed: number, index: number): number[] {
  const bits = statelessBits(seed, index, values.length);
  const scale = Math.fround(1 / (1 - rate));
  return Array.from(values, (value, k) => (bits[k]! / 2 ** 23 < Math.fround(rate) ? 0 : Math.fround(value * scale)));
}

/** Like `assert.deepEqual` for numbers, with 0 equal to −0 and a short message. */
function assertSame(actual: ArrayLike<number>, wanted: ArrayLike<number>): void {
  assert.equal(actual.length, wanted.length);
  for (let k = 0; k < wanted.length; k++)
    assert.ok(actual[k] === wanted[k], `[${k}]: ${actual[k]}, expected ${wanted[k]}`);
}

describe('the random numbers of dropout', () => {
  // Known answers of the library Random123, philox4x32-10.
  it('are those of Philox', () => {
    const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');
    const [none, all] = [0, 0xffffffff];
    assert.equal(hex(philox([none, none, none, none], [none, none])), '6627e8d5 e169c58d bc57ac4c 9b00dbd8');
    assert.equal(hex(philox([all, all, all, all], [all, all])), '408f276d 41c83b0e a20bc7c6 6d5451fd');
    assert.equal(
      hex(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])),
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    );
  });

  it('are uniform, and independent of those of other seeds and indices', () => {
    const count = 40_000;
    const bits = statelessBits(5, 3, count);
    for (const rate of [0.1, 0.5, 0.9]) {
      const dropped = sum(bits.map((value) => (value < rate * 2 ** 23 ? 1 : 0))) / count;
      assert.ok(Math.abs(dropped - rate) < 0.01, `${dropped} of rate ${rate}`);
    }
    for (const [seed, index] of [
      [5, 4],
      [6, 3],
      [3, 5],
    ] as const) {
      const both = sum(
        statelessBits(seed, index, count).map((value, k) => (value < 2 ** 22 && bits[k]! < 2 ** 22 ? 1 : 0)),
      );
      assert.ok(Math.abs(both / count - 0.25) < 0.01, `${both / count} of seed ${seed}, index ${index}`);
    }
  });
});

describe('dropout', () => {
  after(() => useBackend('wasm', { threads: 1 }));

  for (const name of BACKENDS)
    describe(name, () => {
      before(async function () {
        await backendOrSkip(this, name);
      });

      it('has the same mask as on every other backend', async () => {
        for (const [shape, rate, seed, index] of [
          [[1], 0.5, 0, 0],
          [[5], 0.1, 1, 2],
          [[16], 0.3, 2 ** 31 - 1, 2 ** 31 - 1],
          [[3, 7, 11], 0.1, 123_456_789, 17],
          [[2, 3, 1, 4, 100], 0.25, 42, 1],
        ] as const) {
          const x = random(shape);
          assertSame(await dropout(x, rate, { seed, index }).data(), expected(await x.data(), rate, seed, index));
        }
      });

      it('takes its seed from a tensor', async () => {
        const x = random([50]);
        const dropped = dropout(x, 0.4, { seed: tf.scalar(77, 'int32'), index: 3 });
        assertSame(await dropped.data(), expected(await x.data(), 0.4, 77, 3));
      });

      it('drops the same elements of the gradient, and keeps no mask', async () => {
        const [x, dy] = [random([61]), random([61])];
        const { numTensors } = tf.memory();
        const drop = seededDropout(8);
        const gradient = tf.grad((y: tf.Tensor) => tf.sum(tf.mul(drop(drop(y, 0.2), 0.5), dy)))(x);
        const outer = expected(await dy.data(), 0.5, 8, 1);
        assertSame(await gradient.data(), expected(outer, 0.2, 8, 0));
        gradient.dispose();
        assert.equal(tf.memory().numTensors, numTensors);
      });

      it('returns its input at a rate of 0', () => {
        const x = random([4]);
        assert.equal(seededDropout(1)(x, 0), x);
      });
    });

  it('has the same mask with several threads', async () => {
    const [count, rate] = [70_003, 0.1];
    const x = Float32Array.from({ length: count }, (_, k) => k + 1);
    const wanted = expected(x, rate, 4, 5);
    for (const threads of [1, 3]) {
      await useBackend('wasm', { threads });
      // Threads start while the first kernels run.
      for (let round = 0; round < 3; round++) {
        const dropped = tf.tidy(() => dropout(tf.tensor1d(x), rate, { seed: 4, index: 5 }));
        assertSame(await dropped.data(), wanted);
        dropped.dispose();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  });
});
