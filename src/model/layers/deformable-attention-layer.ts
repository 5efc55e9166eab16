import * as tf from '@tensorflow/tfjs-core';
import { hasKernel } from '../ops/custom-kernel.js';
import { deformableAttention, type LevelSize } from '../ops/deformable-attention.js';
import { type Initializer, type Scope, zeros } from '../parameter-scope.js';
import { Linear } from './linear.js';

/** Sizes of a deformable attention layer. */
export interface DeformableShape {
  /** Channels of queries and tokens. */
  readonly width: number;
  readonly heads: number;
  readonly levels: number;
  /** Sampling points per head and level. */
  readonly points: number;
}

/** Tokens of several feature levels of a batch, with the sizes of the levels and the padding. */
export interface LevelTokens {
  /** `[batch, tokens, width]`, level after level, each in row-major order. */
  readonly tokens: tf.Tensor3D;
  readonly levels: readonly LevelSize[];
  /** `[batch, tokens, 1]`: 1 for cells of the image, 0 for padding; null when no image of the batch is padded. */
  readonly validMask: tf.Tensor3D | null;
}

/**
 * How many times fewer operations sampling tokens before their projection must take than projecting all of them, counted for the queries of
 * one group: several groups of an image attend in one pass.
 */
const SAMPLING_GAIN = 8;

/** Multi-scale deformable attention with its linear projections. Source: Deformable DETR, `MSDeformAttn`. */
export class DeformableAttention {
  readonly #shape: DeformableShape;
  readonly #offsets: Linear;
  readonly #weights: Linear;
  readonly #value: Linear;
  readonly #output: Linear;

  constructor(scope: Scope, shape: DeformableShape) {
    const { width, heads, levels, points } = shape;
    this.#shape = shape;
    const samples = heads * levels * points;
    this.#offsets = new Linear(scope.at('sampling_offsets'), width, 2 * samples, {
      weight: zeros,
      bias: offsetDirections(shape),
    });
    this.#weights = new Linear(scope.at('attention_weights'), width, samples, { weight: zeros });
    this.#value = new Linear(scope.at('value_proj'), width, width);
    this.#output = new Linear(scope.at('output_proj'), width, width);
  }

  /**
   * @param query `[batch, queries, width]`
   * @param referencePoints points (x, y) or boxes (cx, cy, w, h) that the sampling offsets are relative to, in [0, 1]:
   *   `[batch, queries, levels, 2]` or `[batch, queries, levels, 4]`
   * @param groupSize number of queries of a full group, the same in every call, so that results do not depend on how groups are
   *   distributed over calls; default: the number of queries
   * @returns `[batch, queries, width]`
   */
  apply(
    query: tf.Tensor3D,
    referencePoints: tf.Tensor4D,
    memory: LevelTokens,
    groupSize: number = query.shape[1],
  ): tf.Tensor3D {
    return tf.tidy(() => this.#attend(query, referencePoints, memory, groupSize));
  }

  #attend(query: tf.Tensor3D, referencePoints: tf.Tensor4D, memory: LevelTokens, groupSize: number): tf.Tensor3D {
    const { heads, levels: levelCount, points } = this.#shape;
    const { levels } = memory;
    const [batch, queries] = query.shape;
    const offsets = tf.reshape(this.#offsets.apply(query), [batch, queries, heads, levelCount, points, 2]); // [batch, queries, heads, levels, points, 2]
    const weights = tf.reshape(
      tf.softmax(tf.reshape(this.#weights.apply(query), [batch, queries, heads, levelCount * points])),
      [batch, queries, heads, levelCount, points],
    ); // [batch, queries, heads, levels, points], a softmax over levels and points
    const locations = samplingLocations(referencePoints, offsets as tf.Tensor<tf.Rank.R6>, levels);
    const sampled = this.#samplesFirst(memory.tokens.shape[1], groupSize)
      ? this.#sampleThenProject(memory, locations, weights as tf.Tensor5D)
      : this.#projectThenSample(memory, locations, weights as tf.Tensor5D);
    return this.#output.apply(sampled) as tf.Tensor3D;
  }

  /**
   * Whether few queries read few of the tokens, so that projecting what they read costs less than projecting all tokens. Only
   * where the product is relflow's own: other backends multiply so fast that the additional kernels cost more. With a tape,
   * tokens are projected, because one gradient of all heads would run on one thread.
   */
  #samplesFirst(tokens: number, groupSize: number): boolean {
    const { width, heads, levels, points } = this.#shape;
    const reads = groupSize * heads * levels * points * 4;
    return SAMPLING_GAIN * reads <= tokens * width && hasKernel('RelflowLinear') && !tf.engine().isTapeOn();
  }

  #projectThenSample(
    { tokens, levels, validMask }: LevelTokens,
    locations: tf.Tensor<tf.Rank.R6>,
    weights: tf.Tensor5D,
  ): tf.Tensor3D {
    const { width, heads } = this.#shape;
    const projected = this.#value.apply(tokens); // [batch, tokens, width]
    const value = validMask ? tf.mul(projected, validMask) : projected;
    const byHead = tf.reshape(value, [tokens.shape[0], -1, heads, width / heads]); // [batch, tokens, heads, width / heads]
    return deformableAttention(byHead as tf.Tensor4D, levels, locations, weights);
  }

  /** The same by linearity: each head samples all channels of the tokens, and its projection follows. */
  #sampleThenProject(
    { tokens, levels, validMask }: LevelTokens,
    locations: tf.Tensor<tf.Rank.R6>,
    weights: tf.Tensor5D,
  ): tf.Tensor3D {
    const { width, heads, levels: levelCount, points } = this.#shape;
    const [batch, count] = tokens.shape;
    const queries = locations.shape[1];
    const points6 = tf.reshape(locations, [batch, queries * heads, 1, levelCount, points, 2]) as tf.Tensor<tf.Rank.R6>;
    const weights5 = tf.reshape(weights, [batch, queries * heads, 1, levelCount, points]) as tf.Tensor5D;
    const sample = (x: tf.Tensor) =>
      deformableAttention(tf.reshape(x, [batch, count, 1, -1]) as tf.Tensor4D, levels, points6, weights5);
    const valid = validMask ?? tf.ones([batch, count, 1]);
    const channels = sample(validMask ? tf.mul(tokens, validMask) : tokens); // [batch, queries · heads, width]
    const rows = [batch * queries, heads, -1] as const;
    // The bias counts as often as the sampled cells, which are fewer at the borders of the image.
    const projected = this.#value.applyByHead(
      tf.reshape(channels, [...rows]) as tf.Tensor3D,
      tf.reshape(sample(valid), [...rows]) as tf.Tensor3D,
    );
    return tf.reshape(projected, [batch, queries, width]);
  }
}

/**
 * Sampling locations: a reference point plus the offsets, in cells; or the center of a reference box plus the offsets, in
 * units of half the box divided by the number of points.
 *
 * @param referencePoints `[batch, queries, levels, 2 or 4]`
 * @param offsets `[batch, queries, heads, levels, points, 2]`
 * @returns the shape of `offsets`, x and y, in [0, 1] within the padded image
 *
 * Source: Deformable DETR, `MSDeformAttn.forward`.
 */
export function samplingLocations(
  referencePoints: tf.Tensor4D,
  offsets: tf.Tensor<tf.Rank.R6>,
  levels: readonly LevelSize[],
): tf.Tensor<tf.Rank.R6> {
  const [batch, queries, levelCount, coordinates] = referencePoints.shape;
  const points = offsets.shape[4];
  const coordinatesFrom = (start: number) =>
    tf.reshape(tf.slice(referencePoints, [0, 0, 0, start], [batch, queries, levelCount, 2]), [
      batch,
      queries,
      1,
      levelCount,
      1,
      2,
    ]);
  if (coordinates === 4)
    return tf.add(coordinatesFrom(0), tf.mul(tf.mul(tf.div(offsets, points), coordinatesFrom(2)), 0.5));
  const cells = tf.tensor(
    levels.flatMap(({ height, width }) => [width, height]),
    [1, 1, 1, levels.length, 1, 2],
  );
  return tf.add(coordinatesFrom(0), tf.div(offsets, cells));
}

/**
 * Initial bias of the sampling offsets: each head has a direction of its own, and each further point lies one step
 * further out.
 * Source: Deformable DETR, `MSDeformAttn._reset_parameters`.
 */
function offsetDirections({ heads, levels, points }: DeformableShape): Initializer {
  const values = new Float32Array(heads * levels * points * 2);
  let index = 0;
  for (let head = 0; head < heads; head++) {
    const angle = (2 * Math.PI * head) / heads;
    const longest = Math.max(Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle)));
    for (let level = 0; level < levels; level++)
      for (let point = 1; point <= points; point++) {
        values[index++] = (Math.cos(angle) / longest) * point;
        values[index++] = (Math.sin(angle) / longest) * point;
      }
  }
  return { kind: 'values', values };
}
