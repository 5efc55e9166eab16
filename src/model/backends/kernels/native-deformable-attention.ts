import { NativeMath } from './native-math.js';
import type { NativeInput, NativeKernel, NativeOps } from './native-ops.js';

/** Height and width of a level. */
type Level = readonly [number, number];

type Inputs<V> = Readonly<Record<string, NativeInput<V>>>;

/** What the forward and the backward pass have in common. Each point lies between four cells: two above, two below. */
interface Samples<V> {
  readonly shape: readonly [batch: number, queries: number, heads: number, levels: number, points: number];
  readonly tokens: number;
  readonly width: number;
  /** Rows of the values that are read, `[batch · queries · heads · levels · points · 4]`. */
  readonly rows: V;
  /** Those rows, `[batch · queries · heads, levels · points · 4, width]`. */
  readonly gathered: V;
  /** Share of the left or right column, of the upper or lower row, and 1 for cells inside the level, `[…, points, 4]`. */
  readonly across: V;
  readonly down: V;
  readonly inside: V;
}

/** Reads the cells that each point lies between, with one gather for all levels and corners. */
function samples<V>(ops: NativeOps<V>, { value, locations, weights }: Inputs<V>, levels: readonly Level[]): Samples<V> {
  const m = new NativeMath(ops);
  const [batch, tokens, heads, width] = value!.shape as [number, number, number, number];
  const shape = weights!.shape as unknown as Samples<V>['shape'];
  const [, queries, , levelCount, points] = shape;
  const heights = levels.map(([height]) => height);
  const widths = levels.map(([, columns]) => columns);
  const starts = levels.map((_, k) => levels.slice(0, k).reduce((sum, [height, columns]) => sum + height * columns, 0));
  const hidden = (value: number) => ops.opaque(m.number(value), []);
  const one = hidden(1);
  /** Position in cells, rounded as in `toCells`, `[batch, queries, heads, levels, points, 1]`. */
  const cells = (axis: number, sizes: readonly number[]): V => {
    const at = m.slice(locations!.value, [0, 0, 0, 0, 0, axis], [...shape, 1]);
    const sides = m.add(m.sub(m.mul(at, m.number(2)), one), one);
    const spread = m.mul(sides, hidden(2 ** 12 + 1));
    const high = m.sub(spread, m.sub(spread, sides));
    const half = perLevel(
      ops,
      sizes.map((size) => size / 2),
    );
    return m.add(m.sub(m.mul(high, half), hidden(0.5)), m.mul(m.sub(sides, high), half));
  };
  const [x, y] = [cells(0, widths), cells(1, heights)];
  const [left, top] = [m.unary('Floor', x), m.unary('Floor', y)];
  const column = m.add(left, corners(ops, [0, 1, 0, 1])); // […, points, 4]
  const row = m.add(top, corners(ops, [0, 0, 1, 1]));
  const clipped = (cell: V, sizes: readonly number[]) =>
    m.binary(
      'Minimum',
      m.binary('Maximum', cell, m.number(0)),
      perLevel(
        ops,
        sizes.map((size) => size - 1),
      ),
    );
  const [clippedColumn, clippedRow] = [clipped(column, widths), clipped(row, heights)];
  const isSame = (a: V, b: V) => m.binary('Equal', a, b);
  const and = (a: V, b: V) => ops.run('LogicalAnd', [a, b], {});
  // A point a whole cell before the first one counts as outside, also for its gradient.
  const isAfter = m.binary('Greater', m.binary('Minimum', x, y), m.number(-1));
  const isInside = and(and(isSame(column, clippedColumn), isSame(row, clippedRow)), isAfter);
  const cell = m.cast(m.add(m.mul(clippedRow, perLevel(ops, widths)), clippedColumn), 'float32', 'int32');
  const int = { T: { type: 'int32' } } as const;
  const range = (count: number, step: number) => Array.from({ length: count }, (_, k) => k * step);
  const token = ops.run('AddV2', [cell, ops.constant(starts, [levelCount, 1, 1], 'int32')], int);
  const base = ops.run(
    'AddV2',
    [
      ops.constant(range(batch, tokens * heads), [batch, 1, 1, 1, 1, 1], 'int32'),
      ops.constant(range(heads, 1), [heads, 1, 1, 1], 'int32'),
    ],
    int,
  );
  const index = ops.run('AddV2', [ops.run('Mul', [token, ops.constant([heads], [], 'int32')], int), base], int);
  const groups = batch * queries * heads;
  const taps = levelCount * points * 4;
  const rows = m.reshape(index, [groups * taps], 'int32');
  const values = m.reshape(value!.value, [batch * tokens * heads, width]);
  const gathered = ops.run('GatherV2', [values, rows, ops.constant([0], [], 'int32')], {
    batch_dims: { int: 0 },
    Tparams: { type: 'float32' },
    Tindices: { type: 'int32' },
    Taxis: { type: 'int32' },
  });
  /** 1 − part for the corners with sign −1, part for the others. */
  const share = (part: V, signs: readonly number[]) =>
    m.add(
      m.mul(part, corners(ops, signs)),
      corners(
        ops,
        signs.map((sign) => (sign < 0 ? 1 : 0)),
      ),
    );
  return {
    shape,
    tokens,
    width,
    rows,
    gathered: m.reshape(gathered, [groups, taps, width]),
    across: share(m.sub(x, left), LEFT_RIGHT),
    down: share(m.sub(y, top), ABOVE_BELOW),
    inside: m.cast(isInside, 'bool', 'float32'),
  };
}

/** Signs of the four corners: −1 left, 1 right; −1 above, 1 below. */
const [LEFT_RIGHT, ABOVE_BELOW] = [
  [-1, 1, -1, 1],
  [-1, -1, 1, 1],
] as const;

const corners = <V>(ops: NativeOps<V>, values: readonly number[]): V => ops.constant(values, [4], 'float32');

/** One number per level, for tensors `[…, levels, points, n]`. */
const perLevel = <V>(ops: NativeOps<V>, values: readonly number[]): V =>
  ops.constant(values, [values.length, 1, 1], 'float32');

/**
 * Deformable attention for a GPU or a graph: one gather for all levels and corners, and a product that weighs them. The backward
 * pass gathers again instead of keeping what was gathered, which is 64 times as large as the output.
 */
export const nativeDeformableAttention: Readonly<Record<string, NativeKernel>> = {
  RelflowDeformableAttention: (ops, inputs, attributes) => {
    const m = new NativeMath(ops);
    const { shape, width, gathered, across, down, inside } = samples(ops, inputs, attributes['levels'] as Level[]);
    const [batch, queries, heads, levels, points] = shape;
    const weights = m.reshape(inputs['weights']!.value, [...shape, 1]);
    const shares = m.mul(m.mul(m.mul(across, down), inside), weights);
    const rows = m.reshape(shares, [batch * queries * heads, 1, levels * points * 4]);
    return m.reshape(m.batchProduct(rows, gathered, false, false), [batch, queries, heads * width]);
  },

  RelflowDeformableAttentionGradient: (ops, inputs, attributes) => {
    const m = new NativeMath(ops);
    const sizes = attributes['levels'] as Level[];
    const { shape, tokens, width, rows, gathered, across, down, inside } = samples(ops, inputs, sizes);
    const [batch, queries, heads, levels, points] = shape;
    const [groups, taps] = [batch * queries * heads, levels * points * 4];
    const weights = m.reshape(inputs['weights']!.value, [...shape, 1]);
    const dy = m.reshape(inputs['dy']!.value, [groups, 1, width]);
    const visible = m.mul(across, down);
    const shares = m.reshape(m.mul(m.mul(visible, inside), weights), [groups, 1, taps]);
    const spread = m.reshape(m.batchProduct(shares, dy, true, false), [groups * taps, width]);
    const dValue = ops.run('UnsortedSegmentSum', [spread, rows, ops.constant([batch * tokens * heads], [], 'int32')], {
      T: { type: 'float32' },
      Tindices: { type: 'int32' },
      Tnumsegments: { type: 'int32' },
    });
    // Gradient of the share of each cell; 0 for cells outside of the level.
    const dShares = m.mul(m.reshape(m.batchProduct(gathered, dy, false, true), [...shape, 4]), inside);
    const weighted = m.mul(dShares, weights);
    const along = (signs: readonly number[], other: typeof down, cells: readonly number[]) => {
      const slopes = m.reduce('Sum', m.mul(weighted, m.mul(other, corners(ops, signs))), [5], true);
      return m.mul(slopes, perLevel(ops, cells)); // […, points, 1]
    };
    const dx = along(
      LEFT_RIGHT,
      down,
      sizes.map(([, columns]) => columns),
    );
    const dyLocation = along(
      ABOVE_BELOW,
      across,
      sizes.map(([height]) => height),
    );
    return [
      m.reshape(dValue, [batch, tokens, heads, width]),
      m.concat([dx, dyLocation], 5),
      m.reduce('Sum', m.mul(dShares, visible), [5], false),
    ];
  },
};
