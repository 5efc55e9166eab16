import { NativeMath } from '../../backends/kernels/native-math.js';
import type { GraphBuilder } from './graph-builder.js';
import type { KernelNodes, NodeCall } from './node-call.js';

/** Each point lies between four cells: the first two are in the upper row, the last two in the lower one. */
const CORNERS = [4] as const;

/** What forward and backward pass have in common; shapes are `[batch, queries, heads, levels, points, …]`. */
interface Samples {
  readonly sizes: {
    batch: number;
    tokens: number;
    heads: number;
    width: number;
    queries: number;
    levels: number;
    points: number;
  };
  /** Rows of the values that are read, `[batch · queries · heads · levels · points · 4]`. */
  readonly rows: string;
  /** Those rows, `[batch · queries · heads, levels · points · 4, width]`. */
  readonly gathered: string;
  /** Share of the left or right column, of the upper or lower row, and 1 for cells inside the level, `[…, points, 4]`. */
  readonly across: string;
  readonly down: string;
  readonly inside: string;
}

/**
 * Reads the cells that each point lies between, with one gather for all levels and corners.
 * @param levels height and width of each level
 */
function samples(graph: GraphBuilder, { inputs }: NodeCall, levels: readonly (readonly [number, number])[]): Samples {
  const { value, locations, weights } = inputs;
  const [batch, tokens, heads, width] = value!.shape as [number, number, number, number];
  const [, queries, , levelCount, points] = weights!.shape as [number, number, number, number, number];
  const m = new NativeMath(graph);
  const perLevel = (values: readonly number[]) => graph.constant(values, [levelCount, 1], 'float32');
  const heights = levels.map(([height]) => height);
  const widths = levels.map(([, columns]) => columns);
  const starts = levels.map((_, k) => levels.slice(0, k).reduce((sum, [height, columns]) => sum + height * columns, 0));
  const shape = [batch, queries, heads, levelCount, points];
  const one = graph.opaque(m.number(1), []);
  const double = { T: { native: 'double' } } as const;
  const wide = (x: string) =>
    graph.run('Cast', [x], { SrcT: { type: 'float32' }, DstT: { native: 'double' }, Truncate: { bool: false } });
  /**
   * Position in cells, `[batch, queries, heads, levels, points]`. A point on the border of two cells must round to the same
   * side as in the other kernels: product and difference are rounded once, see `toCells`.
   */
  const cells = (axis: number, sizes: readonly number[]): string => {
    const at = m.reshape(m.slice(locations!.value, [0, 0, 0, 0, 0, axis], [...shape, 1]), shape);
    const sides = m.add(m.sub(m.mul(at, m.number(2)), one), one);
    const half = wide(perLevel(sizes.map((size) => size / 2)));
    const product = graph.run('Mul', [wide(sides), half], double);
    const difference = graph.run('Sub', [product, wide(m.number(0.5))], double);
    return graph.run('Cast', [difference], {
      SrcT: { native: 'double' },
      DstT: { type: 'float32' },
      Truncate: { bool: false },
    });
  };
  const [x, y] = [cells(0, widths), cells(1, heights)];
  const [left, top] = [m.unary('Floor', x), m.unary('Floor', y)];
  const [right, below] = [m.sub(x, left), m.sub(y, top)];
  const four = [...shape, 4];
  const corner = (values: readonly number[]) => graph.constant(values, CORNERS, 'float32');
  const each = (value: string) => m.reshape(value, [...shape, 1]);
  const column = m.add(each(left), corner([0, 1, 0, 1])); // […, points, 4]
  const row = m.add(each(top), corner([0, 0, 1, 1]));
  const last = (sizes: readonly number[]) =>
    graph.constant(
      sizes.map((size) => size - 1),
      [levelCount, 1, 1],
      'float32',
    );
  const clipped = (cell: string, sizes: readonly number[]) =>
    m.binary('Minimum', m.binary('Maximum', cell, m.number(0)), last(sizes));
  const [clippedColumn, clippedRow] = [clipped(column, widths), clipped(row, heights)];
  const isSame = (a: string, b: string) =>
    graph.run('Equal', [a, b], { T: { type: 'float32' }, incompatible_shape_error: { bool: true } });
  const and = (a: string, b: string) => graph.run('LogicalAnd', [a, b], {});
  // A point a whole cell before the first one counts as outside, also for its gradient.
  const isAfter = (x0: string) => graph.run('Greater', [each(x0), m.number(-1)], { T: { type: 'float32' } });
  const isInside = and(and(isSame(column, clippedColumn), isSame(row, clippedRow)), and(isAfter(x), isAfter(y)));
  const cell = m.add(m.mul(clippedRow, graph.constant(widths, [levelCount, 1, 1], 'float32')), clippedColumn);
  const int = { T: { type: 'int32' } } as const;
  const addInts = (a: string, b: string) => graph.run('AddV2', [a, b], int);
  const token = addInts(m.cast(cell, 'float32', 'int32'), graph.constant(starts, [levelCount, 1, 1], 'int32'));
  const range = (count: number, step: number) => Array.from({ length: count }, (_, k) => k * step);
  const base = addInts(
    graph.constant(range(batch, tokens * heads), [batch, 1, 1, 1, 1, 1], 'int32'),
    graph.constant(range(heads, 1), [heads, 1, 1, 1], 'int32'),
  );
  const index = addInts(graph.run('Mul', [token, graph.constant([heads], [], 'int32')], int), base);
  const count = batch * queries * heads * levelCount * points * 4;
  const rows = graph.run('Reshape', [index, graph.constant([count], [1], 'int32')], {
    ...int,
    Tshape: { type: 'int32' },
  });
  const values = m.reshape(value!.value, [batch * tokens * heads, width]);
  const gathered = graph.run('GatherV2', [values, rows, graph.constant([0], [], 'int32')], {
    batch_dims: { int: 0 },
    Tparams: { type: 'float32' },
    Tindices: { type: 'int32' },
    Taxis: { type: 'int32' },
  });
  /** 1 − x for the corners with sign −1, x for the others. */
  const share = (x0: string, signs: readonly number[]) =>
    m.add(m.mul(each(x0), corner(signs)), corner(signs.map((sign) => (sign < 0 ? 1 : 0))));
  return {
    sizes: { batch, tokens, heads, width, queries, levels: levelCount, points },
    rows,
    gathered: m.reshape(gathered, [batch * queries * heads, levelCount * points * 4, width]),
    across: share(right, [-1, 1, -1, 1]),
    down: share(below, [-1, -1, 1, 1]),
    inside: m.reshape(m.cast(isInside, 'bool', 'float32'), four),
  };
}

/** Height and width of each level, which a recording has as a constant. */
function levelsOf({ attributes }: NodeCall): readonly (readonly [number, number])[] {
  return attributes['levels'] as readonly (readonly [number, number])[];
}

export const deformableAttentionNodes: KernelNodes = (graph, call) => {
  const m = new NativeMath(graph);
  const { sizes, gathered, across, down, inside } = samples(graph, call, levelsOf(call));
  const { batch, queries, heads, levels, points, width } = sizes;
  const weights = m.reshape(call.inputs['weights']!.value, [batch, queries, heads, levels, points, 1]);
  const shares = m.mul(m.mul(m.mul(across, down), inside), weights);
  const rows = m.reshape(shares, [batch * queries * heads, 1, levels * points * 4]);
  return m.reshape(m.batchProduct(rows, gathered, false, false), [batch, queries, heads * width]);
};

export const deformableAttentionGradientNodes: KernelNodes = (graph, call) => {
  const m = new NativeMath(graph);
  const levelSizes = levelsOf(call);
  const { sizes, rows, gathered, across, down, inside } = samples(graph, call, levelSizes);
  const { batch, tokens, queries, heads, levels, points, width } = sizes;
  const groups = batch * queries * heads;
  const four = [batch, queries, heads, levels, points, 4];
  const weights = m.reshape(call.inputs['weights']!.value, [...four.slice(0, 5), 1]);
  const dy = m.reshape(call.inputs['dy']!.value, [groups, 1, width]);
  const visible = m.mul(across, down);
  const shares = m.mul(m.mul(visible, inside), weights);
  const spread = m.batchProduct(m.reshape(shares, [groups, 1, levels * points * 4]), dy, true, false);
  const dValues = graph.run(
    'UnsortedSegmentSum',
    [
      m.reshape(spread, [groups * levels * points * 4, width]),
      rows,
      graph.constant([batch * tokens * heads], [], 'int32'),
    ],
    { T: { type: 'float32' }, Tindices: { type: 'int32' }, Tnumsegments: { type: 'int32' } },
  );
  // What a share of each cell is worth, without cells outside of the level.
  const dShares = m.mul(m.reshape(m.batchProduct(gathered, dy, false, true), four), inside);
  const dWeights = m.reduce('Sum', m.mul(dShares, visible), [5], false);
  const corner = (values: readonly number[]) => graph.constant(values, CORNERS, 'float32');
  const along = (signs: readonly number[], other: string, cells: readonly number[]) => {
    const slopes = m.mul(m.mul(dShares, m.mul(other, corner(signs))), weights);
    const sum = m.reduce('Sum', slopes, [5], true); // […, points, 1]
    return m.mul(sum, graph.constant(cells, [levels, 1, 1], 'float32'));
  };
  const dx = along(
    [-1, 1, -1, 1],
    down,
    levelSizes.map(([, columns]) => columns),
  );
  const dyLocation = along(
    [-1, -1, 1, 1],
    across,
    levelSizes.map(([height]) => height),
  );
  return [m.reshape(dValues, [batch, tokens, heads, width]), m.concat([dx, dyLocation], 5), dWeights];
};
