import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from './custom-kernel.js';
import { detach } from './detach.js';

/** Height and width of a feature level, in cells. */
export interface LevelSize {
  readonly height: number;
  readonly width: number;
}

/** Total number of tokens of all levels. */
export const levelTokenCount = (levels: readonly LevelSize[]): number =>
  levels.reduce((sum, { height, width }) => sum + height * width, 0);

/**
 * Multi-scale deformable attention without linear projections: each head of each query samples a few points of each level
 * with bilinear interpolation and returns their weighted sum.
 *
 * A location (x, y) in [0, 1]² corresponds to (x · width − ½, y · height − ½) in cell coordinates, where cell centers are
 * integers; cells outside the level count as 0.
 *
 * @param value `[batch, tokens, heads, width]`, level after level, each in row-major order
 * @param levels sizes of the levels, as many as `locations` has
 * @param locations x and y in [0, 1], `[batch, queries, heads, levels, points, 2]`
 * @param weights `[batch, queries, heads, levels, points]`
 * @returns `[batch, queries, heads · width]`
 *
 * Source: Zhu et al., "Deformable DETR", 2021, equation 3.
 */
export function deformableAttention(
  value: tf.Tensor4D,
  levels: readonly LevelSize[],
  locations: tf.Tensor<tf.Rank.R6>,
  weights: tf.Tensor5D,
): tf.Tensor3D {
  return hasKernel('RelflowDeformableAttention')
    ? fusedDeformableAttention(value, levels, locations, weights)
    : referenceDeformableAttention(value, levels, locations, weights);
}

function fusedDeformableAttention(
  value: tf.Tensor4D,
  levels: readonly LevelSize[],
  locations: tf.Tensor<tf.Rank.R6>,
  weights: tf.Tensor5D,
): tf.Tensor3D {
  if (levelTokenCount(levels) !== value.shape[1])
    throw new Error(
      `deformable attention: value has ${value.shape[1]} tokens, expected ${levelTokenCount(levels)}, the cells of all levels`,
    );
  const sizes = () =>
    tf.tensor2d(
      levels.flatMap(({ height, width }) => [height, width]),
      [levels.length, 2],
      'int32',
    );
  const run = tf.customGrad((...all) => {
    const [v, l, w, save] = all as unknown as [tf.Tensor, tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([v, l, w]);
    // Kernels read the sizes from the tensor or from the attribute.
    const attributes = { levels: levels.map(({ height, width }) => [height, width]) } as unknown as tf.NamedAttrMap;
    const inputs = { value: v, levels: sizes(), locations: l, weights: w };
    const gradFunc = (dy: tf.Tensor, [savedValue, savedLocations, savedWeights]: tf.Tensor[]) =>
      runKernel(
        'RelflowDeformableAttentionGradient',
        { value: savedValue!, levels: sizes(), locations: savedLocations!, weights: savedWeights!, dy },
        attributes,
      );
    return { value: runKernel('RelflowDeformableAttention', inputs, attributes)[0]!, gradFunc };
  });
  return run(value, locations, weights) as tf.Tensor3D;
}

/**
 * Converts coordinates in [0, 1] to cells, counted from the center of the first cell.
 *
 * A point on the border of two cells must round to the same side as in PyTorch, because the gradient jumps there.
 * Therefore the computation follows PyTorch's steps: it goes through [−1, 1] and rounds product and difference only once.
 * Here the factor is split into parts of 12 bits, so that both products are exact (Dekker, 1971).
 * Source: PyTorch, `grid_sample` with `align_corners=False` on a processor with fused multiply-add.
 */
function toCells(positions: tf.Tensor, cells: number): tf.Tensor1D {
  const sides = tf.add(tf.sub(tf.mul(positions, 2), 1), 1);
  const spread = tf.mul(sides, 2 ** 12 + 1);
  const high = detach(tf.sub(spread, tf.sub(spread, sides)));
  const low = tf.sub(sides, high);
  return tf.add(tf.sub(tf.mul(high, cells / 2), 0.5), tf.mul(low, cells / 2));
}

const int32 = (value: number) => tf.scalar(value, 'int32');

/** Reference implementation of `deformableAttention`, with four gathers per level. Shapes as there. */
export function referenceDeformableAttention(
  value: tf.Tensor4D,
  levels: readonly LevelSize[],
  locations: tf.Tensor<tf.Rank.R6>,
  weights: tf.Tensor5D,
): tf.Tensor3D {
  const [batch, tokens, heads, width] = value.shape;
  const [, queries, , , points] = weights.shape;
  const rows = tf.reshape(value, [batch * tokens * heads, width]); // [batch · tokens · heads, width]
  const samples = batch * queries * heads * points;
  // First row of the image and head of each sample, [batch · queries · heads · points].
  const base = tf.reshape(
    tf.add(
      tf.add(
        tf.mul(tf.reshape(tf.range(0, batch, 1, 'int32'), [batch, 1, 1, 1]), int32(tokens * heads)),
        tf.reshape(tf.range(0, heads, 1, 'int32'), [1, 1, heads, 1]),
      ),
      tf.zeros([batch, queries, heads, points], 'int32'),
    ),
    [samples],
  );
  let start = 0;
  const sums = levels.map(({ height, width: columns }, level) => {
    const at = (axis: number, size: number): tf.Tensor1D =>
      toCells(
        tf.reshape(tf.slice(locations, [0, 0, 0, level, 0, axis], [batch, queries, heads, 1, points, 1]), [samples]),
        size,
      );
    const [x, y] = [at(0, columns), at(1, height)];
    const [left, top] = [detach(tf.floor(x)), detach(tf.floor(y))];
    const [right, below] = [tf.sub(x, left), tf.sub(y, top)];
    const corner = (dx: number, dy: number): tf.Tensor => {
      const [column, row] = [tf.add(left, dx), tf.add(top, dy)];
      const inside = tf.logicalAnd(
        tf.logicalAnd(tf.greaterEqual(column, 0), tf.less(column, columns)),
        tf.logicalAnd(tf.greaterEqual(row, 0), tf.less(row, height)),
      );
      const cell = tf.add(tf.mul(tf.clipByValue(row, 0, height - 1), columns), tf.clipByValue(column, 0, columns - 1));
      const index = tf.add(tf.mul(tf.add(tf.cast(cell, 'int32'), int32(start)), int32(heads)), base);
      const share = tf.mul(
        tf.mul(dx === 0 ? tf.sub(1, right) : right, dy === 0 ? tf.sub(1, below) : below),
        tf.cast(inside, 'float32'),
      );
      return tf.mul(tf.gather(rows, index as tf.Tensor1D), tf.expandDims(share, 1));
    };
    const sampled = tf.add(tf.add(corner(0, 0), corner(1, 0)), tf.add(corner(0, 1), corner(1, 1)));
    start += height * columns;
    const share = tf.reshape(tf.slice(weights, [0, 0, 0, level, 0], [batch, queries, heads, 1, points]), [samples, 1]);
    return tf.sum(tf.reshape(tf.mul(sampled, share), [batch, queries, heads, points, width]), 3); // [batch, queries, heads, width]
  });
  return tf.reshape(sums.length === 1 ? sums[0]! : tf.addN(sums), [batch, queries, heads * width]);
}
