import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { deformableAttention, referenceDeformableAttention } from '../../src/model/ops/deformable-attention.js';
import { assertAgree, assertGradients, randomTensors } from './tensors.js';

/** Tests of the fused deformable attention on the running backend. */
export function deformableAttentionTests(): void {
  const random = randomTensors(11);
  describe('deformable attention', () => {
    const levels = [
      { height: 5, width: 7 },
      { height: 3, width: 3 },
      { height: 1, width: 2 },
    ];
    /** Random inputs with points far outside, on the edges and inside. */
    const make = (batch: number, queries: number, heads: number, width: number, points: number) =>
      [
        random([batch, 46, heads, width]) as tf.Tensor4D,
        tf.add(random([batch, queries, heads, 3, points, 2], 0.6), 0.5) as tf.Tensor<tf.Rank.R6>,
        random([batch, queries, heads, 3, points]) as tf.Tensor5D,
      ] as const;

    for (const sizes of [
      [1, 1, 1, 1, 1],
      [2, 17, 3, 5, 2],
      [1, 150, 8, 32, 4],
      [1, 0, 2, 4, 1],
    ] as [number, number, number, number, number][])
      it(`agrees with the reference implementation: [batch, queries, heads, width, points] [${sizes}]`, async () => {
        const [value, locations, weights] = make(...sizes);
        const run = (f: typeof deformableAttention) => f(value, levels, locations, weights);
        if (sizes[1] === 0) return assert.deepEqual(run(deformableAttention).shape, [1, 0, 8]);
        await assertAgree(run(deformableAttention), run(referenceDeformableAttention));
        const factors = random([sizes[0], sizes[1], sizes[2] * sizes[3]]);
        const gradients = (f: typeof deformableAttention) =>
          tf.grads((v: tf.Tensor, l: tf.Tensor, w: tf.Tensor) =>
            tf.sum(tf.mul(f(v as tf.Tensor4D, levels, l as tf.Tensor<tf.Rank.R6>, w as tf.Tensor5D), factors)),
          )([value, locations, weights]);
        const [fused, reference] = [gradients(deformableAttention), gradients(referenceDeformableAttention)];
        for (let k = 0; k < 3; k++) await assertAgree(fused[k]!, reference[k]!);
      });

    // Cells that PyTorch 2.15's grid_sample reads on a processor with fused multiply-add. For the first two, rounding the
    // product and the difference separately would give the next cell.
    it('reads the official cell when a point is within rounding error of a border', async () => {
      for (const [columns, location, cell] of [
        [10, 0.8499999642372131, 7],
        [20, 0.42499998211860657, 7],
        [10, 0.34999996423721313, 2],
        [10, 0.3500000536441803, 3],
        [10, 0.6500000357627869, 6],
        [20, 0.42500007152557373, 8],
        [20, 0.7250000834465027, 14],
        [6, 0.2499999701976776, 0],
        [6, 0.2500000298023224, 1],
      ] as const) {
        const squares = tf.tensor4d(
          Array.from({ length: columns }, (_, k) => k * k),
          [1, columns, 1, 1],
        );
        const read = (l: tf.Tensor) =>
          deformableAttention(
            squares,
            [{ height: 1, width: columns }],
            l as tf.Tensor<tf.Rank.R6>,
            tf.ones([1, 1, 1, 1, 1]) as tf.Tensor5D,
          );
        const gradient = tf.grad(read)(tf.tensor([location, 0.5], [1, 1, 1, 1, 1, 2]));
        // The value rises from c² to (c + 1)² within a column.
        assert.equal((await gradient.data())[0], columns * (2 * cell + 1), `${location} of ${columns} columns`);
      }
    });

    it('has gradients that agree with finite differences', async () => {
      const [value, , weights] = make(1, 6, 2, 5, 2);
      // Locations away from the cells' borders, where the gradient jumps.
      const locations = tf.tensor(
        Array.from({ length: 6 * 2 * 3 * 2 }, (_, k) => [((k * 5) % 9) / 9 + 0.02, ((k * 7) % 11) / 11 + 0.03]).flat(),
        [1, 6, 2, 3, 2, 2],
      );
      const run = (v: tf.Tensor, l: tf.Tensor, w: tf.Tensor) =>
        deformableAttention(v as tf.Tensor4D, levels, l as tf.Tensor<tf.Rank.R6>, w as tf.Tensor5D);
      await assertGradients((v, w) => run(v!, locations, w!), [value, weights]);
      await assertGradients((l) => run(value, l!, weights), [locations], { step: 1e-3, tolerance: 3e-2 });
    });
  });
}
