import * as tf from '@tensorflow/tfjs-core';
import { compiledKernels } from '../../backends/compiled-kernels.js';
import { compiledDeformableAttention } from '../../backends/kernels/compiled-deformable-attention.js';
import { nativeKernels } from '../../backends/kernels/native-kernels.js';

import type { GraphBuilder, NodeAttribute } from './graph-builder.js';
import type { KernelNodes, NodeCall, NodeInput } from './node-call.js';

/** Attribute of the type that inputs and output share. */
const T = ({ dtype }: NodeInput): { readonly T: NodeAttribute } => ({ T: { type: dtype } });

const attribute = <V>({ attributes }: NodeCall, name: string): V => attributes[name] as V;

const ints = (graph: GraphBuilder, values: readonly number[]): string =>
  graph.constant(values, [values.length], 'int32');

const unary =
  (operation: string, name = 'x'): KernelNodes =>
  (graph, { inputs }) =>
    graph.run(operation, [inputs[name]!.value], T(inputs[name]!));

const binary =
  (operation: string): KernelNodes =>
  (graph, { inputs: { a, b } }) =>
    graph.run(operation, [a!.value, b!.value], T(a!));

const logical =
  (operation: string): KernelNodes =>
  (graph, { inputs: { a, b } }) =>
    graph.run(operation, [a!.value, b!.value], {});

/** @param axes name of the attribute that holds the reduced axes */
const reduction =
  (operation: string, axes = 'axis'): KernelNodes =>
  (graph, call) => {
    const x = call.inputs['x']!;
    const over = tf.util.parseAxisParam(attribute<number[]>(call, axes), [...x.shape]);
    // TensorFlow sums no truth values.
    const isCast = x.dtype === 'bool' && operation !== 'Any' && operation !== 'All';
    const value = isCast ? cast(graph, x.value, 'bool', 'int32') : x.value;
    return graph.run(operation, [value, ints(graph, over)], {
      ...(operation !== 'Any' && operation !== 'All' && { T: { type: isCast ? 'int32' : x.dtype } }),
      Tidx: { type: 'int32' },
      keep_dims: { bool: attribute<boolean>(call, 'keepDims') === true },
    });
  };

const cast = (graph: GraphBuilder, value: string, from: tf.DataType, to: tf.DataType): string =>
  from === to
    ? value
    : graph.run('Cast', [value], { SrcT: { type: from }, DstT: { type: to }, Truncate: { bool: false } });

/** Gives a value the shape of the output. */
const reshaped =
  (name: string): KernelNodes =>
  (graph, { inputs, outputs }) =>
    reshape(graph, inputs[name]!, outputs[0]!.shape);

const reshape = (graph: GraphBuilder, x: NodeInput, shape: readonly number[]): string =>
  graph.run('Reshape', [x.value, ints(graph, shape)], { ...T(x), Tshape: { type: 'int32' } });

const list = ({ inputs }: NodeCall): NodeInput[] => Object.values(inputs);

function slice(graph: GraphBuilder, x: NodeInput, begin: readonly number[], size: readonly number[]): string {
  const isWhole = begin.every((start) => start === 0) && size.every((length, axis) => length === x.shape[axis]);
  if (isWhole) return x.value;
  return graph.run('Slice', [x.value, ints(graph, begin), ints(graph, size)], { ...T(x), Index: { type: 'int32' } });
}

const axisOf = (call: NodeCall, rank: number): number => {
  const axis = attribute<number>(call, 'axis');
  return axis < 0 ? axis + rank : axis;
};

const matrixProduct: KernelNodes = (graph, call) => {
  const { a, b } = call.inputs as { a: NodeInput; b: NodeInput };
  const transposed = (name: string) => ({ bool: attribute<boolean>(call, name) === true });
  if (a.shape.length === 2 && b.shape.length === 2)
    return graph.run('MatMul', [a.value, b.value], {
      ...T(a),
      transpose_a: transposed('transposeA'),
      transpose_b: transposed('transposeB'),
    });
  return graph.run('BatchMatMulV2', [a.value, b.value], {
    ...T(a),
    adj_x: transposed('transposeA'),
    adj_y: transposed('transposeB'),
  });
};

/** Adds bias and activation, as the fused kernels do. */
function biasAndActivation(graph: GraphBuilder, call: NodeCall, value: string): string {
  const { bias } = call.inputs;
  const attributes = { T: { type: 'float32' } } as const;
  const biased = bias
    ? graph.run('BiasAdd', [value, bias.value], { ...attributes, data_format: { text: 'NHWC' } })
    : value;
  const activation = attribute<string | undefined>(call, 'activation') ?? 'linear';
  if (activation === 'linear') return biased;
  const operation = { relu: 'Relu', relu6: 'Relu6', sigmoid: 'Sigmoid', elu: 'Elu' }[activation];
  if (!operation) throw new Error(`activation ${activation} has no node`);
  return graph.run(operation, [biased], attributes);
}

const onBoth = (value: unknown): readonly number[] => {
  const [down, across = down] = [value].flat() as number[];
  return [1, down!, across!, 1];
};

/** Attributes that a convolution and its gradients have. */
function convolutionAttributes(call: NodeCall): Record<string, NodeAttribute> {
  const { strides, pad, dilations = 1 } = call.attributes as { strides: unknown; pad: unknown; dilations?: unknown };
  if (pad !== 'valid' && pad !== 'same')
    throw new Error(`a convolution with padding ${JSON.stringify(pad)} has no node`);
  return {
    T: { type: 'float32' },
    strides: { ints: onBoth(strides) },
    use_cudnn_on_gpu: { bool: true },
    padding: { text: pad.toUpperCase() },
    explicit_paddings: { ints: [] },
    data_format: { text: 'NHWC' },
    dilations: { ints: onBoth(dilations) },
  };
}

function poolAttributes(call: NodeCall): Record<string, NodeAttribute> {
  const { filterSize, strides, pad } = call.attributes as { filterSize: unknown; strides: unknown; pad: string };
  return {
    T: { type: 'float32' },
    ksize: { ints: onBoth(filterSize) },
    strides: { ints: onBoth(strides) },
    padding: { text: pad.toUpperCase() },
    explicit_paddings: { ints: [] },
    data_format: { text: 'NHWC' },
  };
}

const convolution: KernelNodes = (graph, call) => {
  const { x, filter } = call.inputs;
  return biasAndActivation(graph, call, graph.run('Conv2D', [x!.value, filter!.value], convolutionAttributes(call)));
};

const elementwise: Readonly<Record<string, KernelNodes>> = {
  ...Object.fromEntries(
    ['Neg', 'Abs', 'Square', 'Sqrt', 'Rsqrt', 'Reciprocal', 'Exp', 'Log', 'Log1p', 'Sin', 'Cos', 'Sigmoid', 'Tanh']
      .concat(['Relu', 'Softplus', 'Erf', 'Floor', 'Sign', 'OnesLike', 'ZerosLike'])
      .map((kernel) => [kernel, unary(kernel === 'Reciprocal' ? 'Inv' : kernel)]),
  ),
  ...Object.fromEntries(
    ['Sub', 'RealDiv', 'FloorDiv', 'Maximum', 'Minimum', 'Pow', 'SquaredDifference', 'Greater', 'GreaterEqual']
      .concat(['Less', 'LessEqual'])
      .map((kernel) => [kernel, binary(kernel)]),
  ),
  Add: (graph, { inputs: { a, b } }) =>
    a!.dtype === 'float32' ? graph.add(a!, b!) : graph.run('AddV2', [a!.value, b!.value], T(a!)),
  Multiply: binary('Mul'),
  Equal: (graph, { inputs: { a, b } }) =>
    graph.run('Equal', [a!.value, b!.value], { ...T(a!), incompatible_shape_error: { bool: true } }),
  NotEqual: (graph, { inputs: { a, b } }) =>
    graph.run('NotEqual', [a!.value, b!.value], { ...T(a!), incompatible_shape_error: { bool: true } }),
  LogicalAnd: logical('LogicalAnd'),
  LogicalOr: logical('LogicalOr'),
  LogicalNot: (graph, { inputs: { x } }) => graph.run('LogicalNot', [x!.value], {}),
  Softmax: unary('Softmax', 'logits'),
  Select: (graph, { inputs: { condition, t, e } }) =>
    graph.run('SelectV2', [condition!.value, t!.value, e!.value], T(t!)),
  Identity: (_, { inputs: { x } }) => x!.value,
  Cast: (graph, call) => cast(graph, call.inputs['x']!.value, call.inputs['x']!.dtype, attribute(call, 'dtype')),
  AddN: (graph, call) => list(call).reduce((sum, x) => ({ ...x, value: graph.add(sum, x) })).value,
};

const reductions: Readonly<Record<string, KernelNodes>> = {
  ...Object.fromEntries(['Sum', 'Mean', 'Min', 'Any', 'All'].map((kernel) => [kernel, reduction(kernel)])),
  Max: reduction('Max', 'reductionIndices'),
  Cumsum: (graph, call) =>
    graph.run('Cumsum', [call.inputs['x']!.value, graph.constant([attribute(call, 'axis')], [], 'int32')], {
      ...T(call.inputs['x']!),
      Tidx: { type: 'int32' },
      exclusive: { bool: attribute(call, 'exclusive') },
      reverse: { bool: attribute(call, 'reverse') },
    }),
  UnsortedSegmentSum: (graph, call) => {
    const { x, segmentIds } = call.inputs;
    const count = graph.constant([attribute<number>(call, 'numSegments')], [], 'int32');
    return graph.run('UnsortedSegmentSum', [x!.value, segmentIds!.value, count], {
      ...T(x!),
      Tindices: { type: 'int32' },
      Tnumsegments: { type: 'int32' },
    });
  },
};

const products: Readonly<Record<string, KernelNodes>> = {
  BatchMatMul: matrixProduct,
  _FusedMatMul: (graph, call) => biasAndActivation(graph, call, matrixProduct(graph, call) as string),
  Conv2D: convolution,
  FusedConv2D: convolution,
  Conv2DBackpropInput: (graph, call) => {
    const { dy, filter } = call.inputs;
    const shape = ints(graph, call.outputs[0]!.shape);
    return graph.run('Conv2DBackpropInput', [shape, filter!.value, dy!.value], convolutionAttributes(call));
  },
  Conv2DBackpropFilter: (graph, call) => {
    const { x, dy } = call.inputs;
    const shape = ints(graph, call.outputs[0]!.shape);
    return graph.run('Conv2DBackpropFilter', [x!.value, shape, dy!.value], convolutionAttributes(call));
  },
  MaxPool: (graph, call) => graph.run('MaxPool', [call.inputs['x']!.value], poolAttributes(call)),
  MaxPoolGrad: (graph, call) => {
    const { input, output, dy } = call.inputs;
    return graph.run('MaxPoolGrad', [input!.value, output!.value, dy!.value], poolAttributes(call));
  },
};

const layouts: Readonly<Record<string, KernelNodes>> = {
  Reshape: reshaped('x'),
  ExpandDims: reshaped('input'),
  Transpose: (graph, call) =>
    graph.run('Transpose', [call.inputs['x']!.value, ints(graph, attribute(call, 'perm'))], {
      ...T(call.inputs['x']!),
      Tperm: { type: 'int32' },
    }),
  Slice: (graph, call) => {
    const x = call.inputs['x']!;
    return slice(graph, x, attribute<number[]>(call, 'begin'), call.outputs[0]!.shape);
  },
  PadV2: (graph, call) => {
    const x = call.inputs['x']!;
    const paddings = attribute<[number, number][]>(call, 'paddings');
    const value = graph.constant([attribute<number>(call, 'constantValue')], [], x.dtype as 'float32');
    return graph.run('PadV2', [x.value, graph.constant(paddings.flat(), [paddings.length, 2], 'int32'), value], {
      ...T(x),
      Tpaddings: { type: 'int32' },
    });
  },
  Tile: (graph, call) =>
    graph.run('Tile', [call.inputs['x']!.value, ints(graph, attribute(call, 'reps'))], {
      ...T(call.inputs['x']!),
      Tmultiples: { type: 'int32' },
    }),
  Concat: (graph, call) => {
    const all = list(call);
    if (all.length === 1) return all[0]!.value;
    const axis = graph.constant([axisOf(call, all[0]!.shape.length)], [], 'int32');
    return graph.run('ConcatV2', [...all.map(({ value }) => value), axis], {
      N: { int: all.length },
      ...T(all[0]!),
      Tidx: { type: 'int32' },
    });
  },
  Pack: (graph, call) => {
    const all = list(call);
    return graph.run(
      'Pack',
      all.map(({ value }) => value),
      { N: { int: all.length }, ...T(all[0]!), axis: { int: axisOf(call, all[0]!.shape.length + 1) } },
    );
  },
  Unpack: (graph, call) => {
    const x = call.inputs['value']!;
    const axis = axisOf(call, x.shape.length);
    return call.outputs.map(({ shape, dtype }, k) => {
      const begin = x.shape.map((_, at) => (at === axis ? k : 0));
      const size = x.shape.map((length, at) => (at === axis ? 1 : length));
      return reshape(graph, { value: slice(graph, x, begin, size), shape: size, dtype }, shape);
    });
  },
  SplitV: (graph, call) => {
    const x = call.inputs['x']!;
    const axis = axisOf(call, x.shape.length);
    let start = 0;
    return call.outputs.map(({ shape }) => {
      const begin = x.shape.map((_, at) => (at === axis ? start : 0));
      start += shape[axis]!;
      return slice(graph, x, begin, shape);
    });
  },
  OneHot: (graph, call) => {
    const dtype = call.outputs[0]!.dtype as 'float32';
    const scalar = (value: number, type: 'float32' | 'int32') => graph.constant([value], [], type);
    const { depth, onValue, offValue } = call.attributes as { depth: number; onValue: number; offValue: number };
    return graph.run(
      'OneHot',
      [call.inputs['indices']!.value, scalar(depth, 'int32'), scalar(onValue, dtype), scalar(offValue, dtype)],
      { T: { type: dtype }, TI: { type: 'int32' }, axis: { int: -1 } },
    );
  },
  Fill: (graph, call) => {
    const { shape, dtype } = call.outputs[0]!;
    const value = graph.constant([attribute<number>(call, 'value')], [], dtype as 'float32');
    return graph.run('Fill', [ints(graph, shape), value], { T: { type: dtype }, index_type: { type: 'int32' } });
  },
  Range: (graph, call) => {
    const { shape, dtype } = call.outputs[0]!;
    const { start, step } = call.attributes as { start: number; step: number };
    const values = Array.from({ length: shape[0]! }, (_, k) => start + k * step);
    return graph.constant(values, shape, dtype as 'int32');
  },
};

/** Nodes that are written once for single operations and for graphs. */
const shared: Readonly<Record<string, KernelNodes>> = Object.fromEntries(
  Object.entries(nativeKernels).map(([kernel, nodes]) => [
    kernel,
    (graph, { inputs, attributes }) => {
      const compiled = compiledKernels() ? compiledDeformableAttention[kernel] : undefined;
      return (compiled ?? nodes)(graph, inputs, attributes);
    },
  ]),
);

/** Nodes of each kernel that can be part of a TensorFlow graph, by the kernel's name. */
export const kernelNodes: Readonly<Record<string, KernelNodes>> = {
  ...elementwise,
  ...reductions,
  ...products,
  ...layouts,
  ...shared,
};
