import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { BorderPoints } from '../../bench/parity/border-points.js';
import { useBackend } from '../../src/model/backends/use-backend.js';
import { deformableAttention } from '../../src/model/ops/deformable-attention.js';

const KERNELS = ['RelflowDeformableAttention', 'RelflowDeformableAttentionGradient'];

describe('BorderPoints', () => {
  const kept: tf.KernelConfig[] = [];

  before(async () => {
    await useBackend('wasm', { threads: 1 });
    kept.push(...KERNELS.map((name) => tf.getKernel(name, 'wasm')!));
  });

  after(() => {
    for (const kernel of kept) {
      tf.unregisterKernel(kernel.kernelName, 'wasm');
      tf.registerKernel(kernel);
    }
  });

  it('lists sampling points at borders of cells, the closest first, and moves one across in both passes', () => {
    // One level of 4 × 4 cells; the value of a cell is its column squared, so that the slope in x is 2 · column + 1 per cell.
    const value = tf.tensor4d(
      Float32Array.from({ length: 16 }, (_, k) => (k % 4) ** 2),
      [1, 16, 1, 1],
    );
    // x is 1 − 2⁻²² cells, 2 + 2⁻²⁰ · ¾ cells, and in the middle of two cells; y is 1¼ cells.
    const columns = [1 - 2 ** -22, 2 + 0.75 * 2 ** -20, 1.5];
    const coordinates = columns.flatMap((x) => [(x + 0.5) / 4, 1.75 / 4]);
    const locations = tf.tensor(coordinates, [1, 1, 1, 1, 3, 2]) as tf.Tensor<tf.Rank.R6>;
    const weights = tf.ones([1, 1, 1, 1, 3]) as tf.Tensor5D;
    const borders = new BorderPoints();
    const slopes = () => {
      borders.start();
      const gradient = tf.grad((at) => {
        const levels = [{ height: 4, width: 4 }];
        return tf.sum(deformableAttention(value, levels, at as tf.Tensor<tf.Rank.R6>, weights));
      })(locations);
      return [...gradient.dataSync()].filter((_, k) => k % 2 === 0).map((slope) => slope / 4);
    };
    assert.deepEqual(slopes(), [1, 5, 3]);
    assert.deepEqual(
      borders.points.map(({ name }) => name),
      [
        'attention 0, image 0, query 0, head 0, level 0, point 0, x = 0.99999976',
        'attention 0, image 0, query 0, head 0, level 0, point 1, x = 2.00000072',
      ],
    );
    const [first, second] = borders.points;
    borders.moved = first;
    assert.deepEqual(slopes(), [3, 5, 3]);
    borders.moved = second;
    assert.deepEqual(slopes(), [1, 3, 3]);
    borders.moved = undefined;
    assert.deepEqual(slopes(), [1, 5, 3]);
    assert.equal(borders.points.length, 2);
  });
});
