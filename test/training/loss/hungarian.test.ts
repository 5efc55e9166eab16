import assert from 'node:assert/strict';
import { Random } from '../../../src/records/random.js';
import { hungarian } from '../../../src/training/loss/hungarian.js';
import { assertClose } from '../../support/tensors.js';

describe('hungarian', () => {
  it('finds the assignment with the least cost, compared with all assignments', () => {
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

  it('handles no rows, and refuses impossible problems', () => {
    assert.deepEqual([...hungarian(new Float64Array(0), 0, 4)], []);
    assert.throws(() => hungarian(new Float64Array(6), 3, 2), {
      message: 'hungarian: 3 rows, expected at most 2, one for each column',
    });
    assert.throws(() => hungarian(Float64Array.of(Number.NaN), 1, 1), {
      message: 'hungarian: a cost is NaN, expected numbers',
    });
  });
});
