import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { dataTensor } from '../../../src/model/recording/data-tensor.js';
import { recordKernels } from '../../../src/model/recording/record-kernels.js';
import { addRecording } from '../../../src/model/recording/tensorflow/add-recording.js';
import { GraphBuilder } from '../../../src/model/recording/tensorflow/graph-builder.js';
import { GraphSession } from '../../../src/model/recording/tensorflow/graph-session.js';
import { kernelNodes } from '../../../src/model/recording/tensorflow/kernel-nodes.js';
import { PackedData } from '../../../src/model/recording/tensorflow/packed-data.js';
import { Random } from '../../../src/records/random.js';
import { useNativeBackend } from '../../support/native-backend.js';
import { assertClose } from '../../support/tensors.js';

type Numbers = Float32Array | Int32Array;
interface Input {
  readonly shape: readonly number[];
  readonly values: Numbers;
  readonly isBool?: boolean;
}
interface Case {
  readonly inputs: Readonly<Record<string, Input>> | readonly Input[];
  readonly attributes?: Readonly<Record<string, unknown>>;
}

const random = new Random(3);
const size = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);
const floats = (shape: readonly number[], low = -1, high = 1): Input => ({
  shape,
  values: Float32Array.from({ length: size(shape) }, () => low + (high - low) * random.next()),
});
const ints = (shape: readonly number[], values: readonly number[]): Input => ({
  shape,
  values: Int32Array.from(values),
});
const bools = (shape: readonly number[]): Input => ({
  shape,
  values: Int32Array.from({ length: size(shape) }, (_, k) => ((k * 5) % 3 === 0 ? 1 : 0)),
  isBool: true,
});

const x = () => ({ x: floats([2, 3, 4], 0.1, 2) });
const pair = () => ({ a: floats([2, 3, 4], 0.1, 2), b: floats([3, 1], 0.1, 2) });
const same = () => {
  const a = floats([2, 3]);
  return { a, b: { ...a, values: a.values.map((value, k) => (k % 2 ? value : 0)) } };
};
const convolution = { strides: 2, pad: 'valid', dataFormat: 'NHWC', dilations: [1, 1] };
const each = (names: string, of: () => Case) => Object.fromEntries(names.split(' ').map((name) => [name, [of()]]));

const attention = () => {
  const [batch, tokens, queries, heads, levels, points, width] = [2, 10, 3, 2, 2, 2, 4];
  return {
    value: floats([batch, tokens, heads, width]),
    levels: ints([2, 2], [2, 3, 2, 2]),
    locations: floats([batch, queries, heads, levels, points, 2], -0.3, 1.3),
    weights: floats([batch, queries, heads, levels, points]),
  };
};

/** Points within rounding error of a border between cells, where the gradient jumps, and points outside. */
const borders = () => {
  const columns = [0.04999999701976776, 0.2499999850988388, 0.8499999642372131, 0.3500000536441803, -0.05, 1.05, -0.2];
  const points = columns.length;
  return {
    value: { shape: [1, 10, 1, 1], values: Float32Array.from({ length: 10 }, (_, k) => k * k) },
    levels: ints([1, 2], [1, 10]),
    locations: { shape: [1, 1, 1, 1, points, 2], values: Float32Array.from(columns.flatMap((x) => [x, 0.5])) },
    weights: { shape: [1, 1, 1, 1, points], values: new Float32Array(points).fill(1) },
  };
};

const cases: Readonly<Record<string, readonly Case[]>> = {
  ...each('Neg Abs Square Sqrt Rsqrt Reciprocal Exp Log Log1p Sin Cos Sigmoid Tanh', () => ({ inputs: x() })),
  ...each('Relu Softplus Erf Floor Sign Step OnesLike ZerosLike Identity', () => ({
    inputs: { x: floats([2, 5], -2, 2) },
    attributes: { alpha: 0 },
  })),
  ...each('Add Sub Multiply RealDiv FloorDiv Maximum Minimum Pow SquaredDifference', () => ({ inputs: pair() })),
  ...each('Greater GreaterEqual Less LessEqual Equal NotEqual', () => ({ inputs: same() })),
  ...each('LogicalAnd LogicalOr', () => ({ inputs: { a: bools([2, 3]), b: bools([1, 3]) } })),
  LogicalNot: [{ inputs: { x: bools([4]) } }],
  ...each('Sum Mean Min Max', () => ({
    inputs: { x: floats([2, 3, 4]) },
    attributes: { axis: [0, 2], reductionIndices: [0, 2], keepDims: true },
  })),
  ...each('Any All', () => ({ inputs: { x: bools([3, 4]) }, attributes: { axis: [1], keepDims: false } })),
  Cumsum: [{ inputs: { x: floats([2, 5]) }, attributes: { axis: 1, exclusive: true, reverse: false } }],
  UnsortedSegmentSum: [
    { inputs: { x: floats([4, 3]), segmentIds: ints([4], [1, 0, 1, 3]) }, attributes: { numSegments: 5 } },
  ],
  Softmax: [{ inputs: { logits: floats([2, 3, 5], -3, 3) }, attributes: { dim: 2 } }],
  Select: [{ inputs: { condition: bools([2, 3]), t: floats([2, 3]), e: floats([2, 3]) } }],
  Cast: [
    { inputs: { x: floats([6], -3, 3) }, attributes: { dtype: 'int32' } },
    { inputs: { x: bools([6]) }, attributes: { dtype: 'float32' } },
  ],
  ClipByValue: [{ inputs: { x: floats([9], -2, 2) }, attributes: { clipValueMin: -0.5, clipValueMax: 1 } }],
  AddN: [{ inputs: [floats([2, 3]), floats([2, 3]), floats([2, 3])] }],
  BatchMatMul: [
    { inputs: { a: floats([2, 3, 4]), b: floats([2, 5, 4]) }, attributes: { transposeA: false, transposeB: true } },
    { inputs: { a: floats([1, 4, 3]), b: floats([1, 4, 5]) }, attributes: { transposeA: true, transposeB: false } },
  ],
  _FusedMatMul: [
    {
      inputs: { a: floats([1, 3, 4]), b: floats([1, 4, 5]), bias: floats([5]) },
      attributes: { transposeA: false, transposeB: false, activation: 'relu' },
    },
  ],
  Conv2D: [{ inputs: { x: floats([1, 7, 9, 3]), filter: floats([3, 3, 3, 4]) }, attributes: convolution }],
  FusedConv2D: [
    {
      inputs: { x: floats([1, 7, 9, 3]), filter: floats([3, 3, 3, 4]), bias: floats([4]) },
      attributes: { ...convolution, strides: 1, activation: 'relu' },
    },
  ],
  Conv2DBackpropInput: [
    {
      inputs: { dy: floats([1, 3, 4, 4]), filter: floats([3, 3, 3, 4]) },
      attributes: { ...convolution, inputShape: [1, 7, 9, 3] },
    },
  ],
  Conv2DBackpropFilter: [
    {
      inputs: { x: floats([1, 7, 9, 3]), dy: floats([1, 3, 4, 4]) },
      attributes: { ...convolution, filterShape: [3, 3, 3, 4] },
    },
  ],
  MaxPool: [{ inputs: { x: floats([1, 7, 9, 2]) }, attributes: { filterSize: 3, strides: 2, pad: 'valid' } }],
  Reshape: [{ inputs: { x: floats([2, 6]) }, attributes: { shape: [3, 4] } }],
  ExpandDims: [{ inputs: { input: floats([2, 3]) }, attributes: { dim: 1 } }],
  Transpose: [{ inputs: { x: floats([2, 3, 4]) }, attributes: { perm: [2, 0, 1] } }],
  Slice: [{ inputs: { x: floats([3, 4, 5]) }, attributes: { begin: [1, 0, 2], size: [2, -1, 2] } }],
  PadV2: [
    {
      inputs: { x: floats([2, 3]) },
      attributes: {
        paddings: [
          [1, 0],
          [0, 2],
        ],
        constantValue: 0.5,
      },
    },
  ],
  Tile: [{ inputs: { x: floats([2, 3]) }, attributes: { reps: [2, 3] } }],
  Concat: [{ inputs: [floats([2, 3]), floats([2, 1])], attributes: { axis: 1 } }],
  Pack: [{ inputs: [floats([2, 3]), floats([2, 3])], attributes: { axis: 1 } }],
  Unpack: [{ inputs: { value: floats([2, 3, 4]) }, attributes: { axis: 1 } }],
  SplitV: [{ inputs: { x: floats([2, 6]) }, attributes: { numOrSizeSplits: [1, 2, 3], axis: 1 } }],
  GatherV2: [
    { inputs: { x: floats([4, 3]), indices: ints([2, 2], [3, 0, 1, 1]) }, attributes: { axis: 0, batchDims: 0 } },
  ],
  OneHot: [
    {
      inputs: { indices: ints([3], [2, 0, 1]) },
      attributes: { depth: 4, onValue: 1, offValue: 0, dtype: 'int32' },
    },
  ],
  Fill: [{ inputs: {}, attributes: { shape: [2, 3], value: 0.25, dtype: 'float32' } }],
  Range: [{ inputs: {}, attributes: { start: 2, stop: 11, step: 3, dtype: 'int32' } }],
  RelflowLinear: [
    {
      inputs: { x: floats([2, 3, 4]), weight: floats([4, 5]), bias: floats([5]) },
      attributes: { activation: 'relu' },
    },
  ],
  RelflowLinearGradient: [
    { inputs: { x: floats([2, 3, 4]), weight: floats([4, 5]), dy: floats([2, 3, 5]) } },
    { inputs: { x: floats([2, 3, 4]), weight: floats([4, 5]), dy: floats([2, 3, 5]), y: floats([2, 3, 5]) } },
  ],
  RelflowLayerNorm: [
    { inputs: { x: floats([2, 3, 8]), gamma: floats([8]), beta: floats([8]) }, attributes: { epsilon: 1e-5 } },
  ],
  RelflowLayerNormGradient: [
    {
      inputs: {
        ...{ x: floats([2, 3, 8]), gamma: floats([8]), dy: floats([2, 3, 8]) },
        statistics: floats([6, 2], 0.1, 1),
      },
    },
  ],
  RelflowGelu: [{ inputs: { x: floats([3, 4], -3, 3) } }],
  RelflowGeluGradient: [{ inputs: { x: floats([3, 4], -3, 3), dy: floats([3, 4]) } }],
  RelflowSoftmaxGradient: [{ inputs: { y: floats([2, 3, 4], 0, 1), dy: floats([2, 3, 4]) } }],
  RelflowReluGradient: [{ inputs: { y: floats([8]), dy: floats([8]) } }],
  RelflowGlobalNorm: [{ inputs: { weight: floats([3, 4]), bias: floats([5]) } }],
  RelflowDropout: [{ inputs: { x: floats([5, 7]), seed: ints([], [12]) }, attributes: { rate: 0.3, index: 4 } }],
  RelflowDeformableAttention: [{ inputs: attention() }, { inputs: borders() }],
  RelflowDeformableAttentionGradient: [
    { inputs: { ...attention(), dy: floats([2, 3, 8]) } },
    { inputs: { ...borders(), dy: { shape: [1, 1, 1], values: Float32Array.of(1) } } },
  ],
};

/** Runs a case on the active backend; when it is recorded, its inputs are data. */
function run(name: string, kernel: string, { inputs, attributes = {} }: Case): tf.Tensor[] {
  const tensor = (key: string, { shape, values, isBool }: Input) => {
    if (key === 'levels') return tf.tensor(values, [...shape], 'int32');
    const given = dataTensor(`${name}.${key}`, values, shape);
    return isBool ? tf.cast(given, 'bool') : given;
  };
  const given = Array.isArray(inputs)
    ? inputs.map((input: Input, k) => tensor(`${k}`, input))
    : Object.fromEntries(
        Object.entries(inputs as Readonly<Record<string, Input>>).map(([key, input]) => [key, tensor(key, input)]),
      );
  return [
    tf.engine().runKernel(kernel, given as unknown as tf.NamedTensorMap, attributes as unknown as tf.NamedAttrMap),
  ].flat();
}

const all = Object.entries(cases).flatMap(([kernel, list]) =>
  list.map((one, k) => ({ name: `${kernel}.${k}`, kernel, one })),
);
const outputsOf = (of: typeof all) =>
  Object.fromEntries(
    of.flatMap(({ name, kernel, one }) =>
      run(name, kernel, one).map((tensor, k) => [`${name} output ${k}`, tf.cast(tensor, 'float32')] as const),
    ),
  );

describe('kernelNodes', () => {
  const expected = new Map<string, Float32Array>();

  before(async function () {
    this.timeout(120_000);
    // relflow's own kernels that the backend tensorflow lacks run on wasm.
    await useBackend('wasm', { threads: 1 });
    const own = all.filter(({ kernel }) => kernel.startsWith('Relflow'));
    for (const [name, tensor] of Object.entries(outputsOf(own))) expected.set(name, tensor.dataSync() as Float32Array);
    await useNativeBackend.call(this);
  });

  it('has a case for each kernel', () => {
    const derived = ['MaxPoolGrad'];
    assert.deepEqual(
      Object.keys(kernelNodes).filter((kernel) => !cases[kernel] && !derived.includes(kernel)),
      [],
    );
  });

  it('computes what each kernel computes by itself', async function () {
    this.timeout(120_000);
    const single = all.filter(({ kernel }) => tf.getKernel(kernel, 'tensorflow') && !kernel.startsWith('Relflow'));
    for (const [name, tensor] of Object.entries(outputsOf(single)))
      expected.set(name, (await tensor.data()) as Float32Array);
    const { recording, data } = recordKernels({ target: 'tensorflow', kernels: Object.keys(kernelNodes) }, () =>
      outputsOf(all),
    );
    const graph = new GraphBuilder();
    const packed = new PackedData(recording, 'data');
    const nodes = packed.addTo(graph);
    const outputs = addRecording(graph, recording, {
      data: (name) => nodes.get(name)!,
      outside: () => assert.fail('no variables'),
    });
    const session = new GraphSession(graph);
    const { inputs, dispose } = packed.tensors(data);
    const results = session.run(inputs, Object.values(outputs));
    for (const [k, name] of Object.keys(outputs).entries()) {
      const values = (await results[k]!.data()) as Float32Array;
      assert.ok(expected.has(name), `${name} ran nowhere by itself`);
      try {
        assertClose(values, expected.get(name)!, 2e-5);
      } catch (error) {
        throw new Error(`${name}: ${(error as Error).message}`);
      }
    }
    assert.ok(Object.keys(outputs).length >= Object.keys(cases).length);
    tf.dispose(results);
    dispose();
    session.close();
  });

  it('names a kernel that has no nodes', () => {
    const without = Object.keys(kernelNodes).filter((kernel) => kernel !== 'Tanh');
    assert.throws(
      () =>
        recordKernels({ target: 'tensorflow', kernels: without }, () => ({
          y: tf.tanh(dataTensor('x', Float32Array.of(1), [1])),
        })),
      { code: 'recording', message: "recording: backend tensorflow cannot run kernel 'Tanh' in a recorded step" },
    );
  });
});
