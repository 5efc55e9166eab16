import * as tf from '@tensorflow/tfjs-core';
import type { KernelCall } from './kernels/register-wasm-kernel.js';

export type { KernelCall };

/** Shape and type of a kernel's output; `dtype` is float32 if omitted. */
export interface KernelOutput {
  readonly shape: readonly number[];
  readonly dtype?: tf.DataType;
  /** Tensor whose memory the output shares; omitted when the output has its own. */
  readonly sharedWith?: tf.TensorInfo;
}

/** Computes the outputs' shapes of a kernel call. */
type Rule = (call: KernelCall) => KernelOutput | readonly KernelOutput[];

const sameAs = ({ shape, dtype }: tf.TensorInfo): KernelOutput => ({ shape, dtype });
const attribute = <T>({ attributes }: KernelCall, name: string): T => attributes[name] as T;

const unary =
  (name = 'x'): Rule =>
  ({ inputs }) =>
    sameAs(inputs[name]!);

const binary =
  (dtype?: tf.DataType): Rule =>
  ({ inputs: { a, b } }) => ({
    shape: tf.broadcast_util.assertAndGetBroadcastShape([...a!.shape], [...b!.shape]),
    dtype: dtype ?? a!.dtype,
  });

/**
 * @param axes name of the attribute that holds the reduced axes
 * @param isTruth whether the result of truth values is one, and not their number
 */
const reduction =
  (axes: string, isTruth = false): Rule =>
  (call) => {
    const x = call.inputs['x']!;
    const over = new Set(tf.util.parseAxisParam(attribute<number[]>(call, axes), [...x.shape]));
    const keep = attribute<boolean>(call, 'keepDims') === true;
    return {
      shape: x.shape.flatMap((size, axis) => (over.has(axis) ? (keep ? [1] : []) : [size])),
      dtype: x.dtype === 'bool' && !isTruth ? 'int32' : x.dtype,
    };
  };

const reshape =
  (name: string, shape: (call: KernelCall, x: tf.TensorInfo) => readonly number[]): Rule =>
  (call) => {
    const x = call.inputs[name]!;
    return { shape: shape(call, x), dtype: x.dtype, sharedWith: x };
  };

const matrixProduct: Rule = (call) => {
  const { a, b } = call.inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
  const rows = a.shape.at(attribute<boolean>(call, 'transposeA') ? -1 : -2)!;
  const columns = b.shape.at(attribute<boolean>(call, 'transposeB') ? -2 : -1)!;
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return { shape: [...outer, rows, columns] };
};

const convolution: Rule = (call) => {
  const { x, filter } = call.inputs as { x: tf.TensorInfo; filter: tf.TensorInfo };
  const { strides, pad, dilations, dimRoundingMode } = call.attributes as unknown as tf.Conv2DAttrs;
  const shape = (of: tf.TensorInfo) => [...of.shape] as [number, number, number, number];
  return {
    shape: tf.backend_util.computeConv2DInfo(shape(x), shape(filter), strides, dilations ?? 1, pad, dimRoundingMode)
      .outShape,
  };
};

const pool: Rule = (call) => {
  const x = call.inputs['x']!;
  const { filterSize, strides, pad, dimRoundingMode } = call.attributes as unknown as tf.MaxPoolAttrs;
  const shape = [...x.shape] as [number, number, number, number];
  return { shape: tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode).outShape };
};

const inputsInOrder = ({ inputs }: KernelCall): tf.TensorInfo[] =>
  Array.isArray(inputs) ? (inputs as unknown as tf.TensorInfo[]) : Object.values(inputs);

const axisOf = (call: KernelCall, shape: readonly number[]): number =>
  tf.util.parseAxisParam(attribute<number>(call, 'axis'), [...shape])[0]!;

const without = (shape: readonly number[], axis: number): number[] => shape.filter((_, k) => k !== axis);

const joinRules: Record<string, Rule> = {
  Concat: (call) => {
    const all = inputsInOrder(call);
    const axis = axisOf(call, all[0]!.shape);
    const length = all.reduce((sum, { shape }) => sum + shape[axis]!, 0);
    return { shape: all[0]!.shape.map((size, k) => (k === axis ? length : size)), dtype: all[0]!.dtype };
  },
  Pack: (call) => {
    const all = inputsInOrder(call);
    const { shape, dtype } = all[0]!;
    const axis = attribute<number>(call, 'axis');
    const at = axis < 0 ? axis + shape.length + 1 : axis;
    return { shape: [...shape.slice(0, at), all.length, ...shape.slice(at)], dtype };
  },
  Unpack: (call) => {
    const { shape, dtype } = call.inputs['value']!;
    const axis = axisOf(call, shape);
    return Array.from({ length: shape[axis]! }, () => ({ shape: without(shape, axis), dtype }));
  },
  SplitV: (call) => {
    const { shape, dtype } = call.inputs['x']!;
    const axis = axisOf(call, shape);
    const sizes = attribute<number | number[]>(call, 'numOrSizeSplits');
    const parts = Array.isArray(sizes) ? sizes : Array.from({ length: sizes }, () => shape[axis]! / sizes);
    return parts.map((part) => ({ shape: shape.map((size, k) => (k === axis ? part : size)), dtype }));
  },
  AddN: (call) => sameAs(inputsInOrder(call)[0]!),
};

const layoutRules: Record<string, Rule> = {
  Identity: reshape('x', (_, { shape }) => shape),
  Reshape: reshape('x', (call, x) =>
    tf.util.inferFromImplicitShape(attribute<number[]>(call, 'shape'), tf.util.sizeFromShape([...x.shape])),
  ),
  ExpandDims: reshape('input', (call, { shape }) => {
    const dim = attribute<number>(call, 'dim');
    const at = dim < 0 ? dim + shape.length + 1 : dim;
    return [...shape.slice(0, at), 1, ...shape.slice(at)];
  }),
  Cast: (call) => ({ shape: call.inputs['x']!.shape, dtype: attribute<tf.DataType>(call, 'dtype') }),
  Transpose: (call) => {
    const { shape, dtype } = call.inputs['x']!;
    return { shape: attribute<number[]>(call, 'perm').map((axis) => shape[axis]!), dtype };
  },
  Slice: (call) => {
    const x = call.inputs['x']! as unknown as tf.Tensor;
    const [begin, size] = [attribute<number[]>(call, 'begin'), attribute<number[]>(call, 'size')];
    const [, sizes] = tf.slice_util.parseSliceParams(x, begin, size) as [number[], number[]];
    return { shape: sizes, dtype: x.dtype };
  },
  PadV2: (call) => {
    const { shape, dtype } = call.inputs['x']!;
    const paddings = attribute<[number, number][]>(call, 'paddings');
    return { shape: shape.map((size, k) => paddings[k]![0] + size + paddings[k]![1]), dtype };
  },
  Tile: (call) => {
    const { shape, dtype } = call.inputs['x']!;
    const repeats = attribute<number[]>(call, 'reps');
    return { shape: shape.map((size, k) => size * repeats[k]!), dtype };
  },
  GatherV2: (call) => {
    const { x, indices } = call.inputs as { x: tf.TensorInfo; indices: tf.TensorInfo };
    const axis = axisOf(call, x.shape);
    return { shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], dtype: x.dtype };
  },
  UnsortedSegmentSum: (call) => {
    const { x, segmentIds } = call.inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
    const rest = x.shape.slice(segmentIds.shape.length);
    return { shape: [attribute<number>(call, 'numSegments'), ...rest], dtype: x.dtype };
  },
  Select: ({ inputs: { t } }) => sameAs(t!),
  OneHot: (call) => ({
    shape: [...call.inputs['indices']!.shape, attribute<number>(call, 'depth')],
    dtype: attribute<tf.DataType>(call, 'dtype') ?? 'float32',
  }),
  Fill: (call) => ({
    shape: attribute<number[]>(call, 'shape'),
    dtype: attribute<tf.DataType | undefined>(call, 'dtype') ?? 'float32',
  }),
  Range: (call) => {
    const [start, stop, step] = ['start', 'stop', 'step'].map((name) => attribute<number>(call, name)) as [
      number,
      number,
      number,
    ];
    return { shape: [Math.max(0, Math.ceil((stop - start) / step))], dtype: attribute<tf.DataType>(call, 'dtype') };
  },
  Cumsum: unary(),
};

/** Outputs of relflow's own kernels, which the functions in src/model/ops describe. */
const relflowRules: Record<string, Rule> = {
  RelflowLayerNorm: ({ inputs: { x, gamma } }) => [
    sameAs(x!),
    { shape: [tf.util.sizeFromShape([...x!.shape]) / tf.util.sizeFromShape([...gamma!.shape]), 2] },
  ],
  RelflowLayerNormGradient: ({ inputs: { x, gamma } }) => [sameAs(x!), sameAs(gamma!), sameAs(gamma!)],
  RelflowLinear: ({ inputs: { x, weight } }) => ({ shape: [...x!.shape.slice(0, -1), weight!.shape[1]!] }),
  RelflowLinearGradient: ({ inputs: { x, weight } }) => [sameAs(x!), sameAs(weight!), { shape: [weight!.shape[1]!] }],
  RelflowImageToColumns: (call) => {
    const [batch, height, width, channels] = call.inputs['x']!.shape as [number, number, number, number];
    const { window, stride, padding } = call.attributes as { window: number; stride: number; padding: number };
    const out = (length: number) => Math.floor((length + 2 * padding - window) / stride) + 1;
    return { shape: [batch, out(height), out(width), window * window * channels] };
  },
  RelflowImageToColumnsGradient: (call) => ({ shape: attribute<number[]>(call, 'shape') }),
  RelflowAdamW: ({ inputs: { weight } }) => [sameAs(weight!), sameAs(weight!), sameAs(weight!)],
  RelflowGlobalNorm: () => ({ shape: [1] }),
  RelflowGelu: unary(),
  RelflowGeluGradient: unary(),
  RelflowSoftmaxGradient: unary('y'),
  RelflowReluGradient: unary('y'),
  RelflowDropout: unary(),
  RelflowDeformableAttention: ({ inputs: { value, weights } }) => {
    const [batch, , heads, width] = value!.shape as [number, number, number, number];
    return { shape: [batch, weights!.shape[1]!, heads * width] };
  },
  RelflowDeformableAttentionGradient: ({ inputs: { value, locations, weights } }) =>
    [value!, locations!, weights!].map(sameAs),
};

const rulesFor = (names: readonly string[], rule: Rule): Record<string, Rule> =>
  Object.fromEntries(names.map((name) => [name, rule]));

/** Shape rules by kernel name, of every kernel that relflow's models, losses and optimizer use. */
export const shapeRules: Readonly<Record<string, Rule>> = {
  ...rulesFor(
    [
      ...[
        'Neg',
        'Abs',
        'Square',
        'Sqrt',
        'Rsqrt',
        'Reciprocal',
        'Exp',
        'Log',
        'Log1p',
        'Sin',
        'Cos',
        'Sigmoid',
        'Tanh',
      ],
      ...['Relu', 'Softplus', 'Erf', 'Floor', 'Step', 'Sign', 'ClipByValue', 'OnesLike', 'ZerosLike'],
    ],
    unary(),
  ),
  Softmax: unary('logits'),
  LogSoftmax: unary('logits'),
  ...rulesFor(
    ['Add', 'Sub', 'Multiply', 'RealDiv', 'FloorDiv', 'Maximum', 'Minimum', 'Pow', 'SquaredDifference'],
    binary(),
  ),
  ...rulesFor(
    ['Greater', 'GreaterEqual', 'Less', 'LessEqual', 'Equal', 'NotEqual', 'LogicalAnd', 'LogicalOr'],
    binary('bool'),
  ),
  LogicalNot: unary(),
  ...rulesFor(['Sum', 'Mean', 'Min'], reduction('axis')),
  ...rulesFor(['Any', 'All'], reduction('axis', true)),
  Max: reduction('reductionIndices'),
  BatchMatMul: matrixProduct,
  _FusedMatMul: matrixProduct,
  Conv2D: convolution,
  FusedConv2D: convolution,
  Conv2DBackpropInput: (call) => ({ shape: attribute<number[]>(call, 'inputShape') }),
  Conv2DBackpropFilter: (call) => ({ shape: attribute<number[]>(call, 'filterShape') }),
  MaxPool: pool,
  MaxPoolGrad: ({ inputs: { input } }) => sameAs(input!),
  ...joinRules,
  ...layoutRules,
  ...relflowRules,
};
