import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { Random } from '../../../src/records/random.js';
import { focalLoss, qualityFocalLoss } from '../../../src/training/loss/focal-loss.js';
import { hungarian } from '../../../src/training/loss/hungarian.js';
import { giou } from '../../../src/training/loss/match-pairs.js';
import { pseudoLabels } from '../../../src/training/loss/pseudo-labels.js';
import { assertClose } from '../../support/tensors.js';

const logits = () =>
  tf.tensor2d(
    [
      [0.9, 0.2, 0.6],
      [0.1, 0.7, 0.05],
    ].map((row) => row.map((p) => Math.log(p / (1 - p)))),
  );

// Golden numbers: the official modules' own.
describe('losses', () => {
  before(() => useBackend('wasm', { threads: 1 }));

  it('focal loss, and without any positive target', async () => {
    assertClose(
      await focalLoss(
        logits(),
        tf.tensor2d([
          [1, 0, 0],
          [0, 1, 0],
        ]),
      ).data(),
      [0.1865633],
    );
    assertClose(await focalLoss(logits(), tf.zeros([2, 3])).data(), [2.7950125]);
  });

  it('quality focal loss', async () => {
    assertClose(
      await qualityFocalLoss(
        logits(),
        tf.tensor2d([
          [0.8, 0, 0.35],
          [0, 0.6, 0],
        ]),
      ).data(),
      [0.0236367],
    );
  });

  it('generalised IoU of matches', () => {
    const box = (x0: number, y0: number, x1: number, y1: number) => [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0];
    assertClose([giou(box(0.1, 0.1, 0.5, 0.5), box(0.3, 0.3, 0.7, 0.9))], [-0.138889]);
    assertClose([giou(box(0.1, 0.1, 0.5, 0.5), box(0.6, 0.6, 0.9, 0.9))], [-0.609375]);
  });

  it('pseudo-labels of relations that mean about the same', () => {
    const vectors = Float32Array.from([1, 0, 0, 0.9, 0.1, 0, 0, 1, 0, 0, 0, 3]);
    assertClose(pseudoLabels(vectors, 4, Float32Array.from([1, 0, 0, 0])), [0, 0.955279, 0.552787, 0]);
    assertClose(pseudoLabels(vectors, 4, Float32Array.from([0, 0, 1, 0])), [0.552787, 0.597508, 0, 0]);
  });
});

describe('assign', () => {
  it('finds the cheapest of all assignments', () => {
    const random = new Random(3);
    const cheapest = (cost: Float64Array, rows: number, columns: number, row = 0, used = 0): number => {
      if (row === rows) return 0;
      let least = Number.POSITIVE_INFINITY;
      for (let column = 0; column < columns; column++)
        if (!(used & (1 << column)))
          least = Math.min(
            least,
            cost[row * columns + column]! + cheapest(cost, rows, columns, row + 1, used | (1 << column)),
          );
      return least;
    };
    for (const [rows, columns] of [
      [1, 1],
      [3, 3],
      [4, 6],
      [6, 7],
      [5, 5],
    ] as const)
      for (let round = 0; round < 20; round++) {
        const cost = Float64Array.from({ length: rows * columns }, () => random.normal());
        const columnsOf = hungarian(cost, rows, columns);
        assert.equal(new Set(columnsOf).size, rows);
        const total = columnsOf.reduce((sum, column, row) => sum + cost[row * columns + column]!, 0);
        assertClose([total], [cheapest(cost, rows, columns)], 1e-9);
      }
  });

  it('takes no rows at all, and refuses what it can not do', () => {
    assert.deepEqual([...hungarian(new Float64Array(0), 0, 4)], []);
    assert.throws(() => hungarian(new Float64Array(6), 3, 2), { message: '3 rows, but only 2 columns' });
    assert.throws(() => hungarian(Float64Array.of(Number.NaN), 1, 1), { message: 'a cost is not a number' });
  });
});
