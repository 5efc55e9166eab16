import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from '../ops/custom-kernel.js';

type Inputs = readonly tf.Tensor[];
type Attributes = tf.NamedAttrMap | undefined;
type Gradients = Record<string, () => tf.Tensor>;

/** Computes gradients from the output's gradient, the tensors saved by the forward pass, and the kernel's attributes. */
type Rule = (dy: tf.Tensor, saved: tf.Tensor[], attributes: Attributes) => Gradients;

/** Sums over broadcast axes, so that the gradient has the input's shape. */
const sumTo = (gradient: tf.Tensor, shape: readonly number[]): tf.Tensor => {
  const axes = tf.broadcast_util.getReductionAxes([...shape], gradient.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, [...shape]);
};

const attribute = <T>(attributes: Attributes, name: string): T => attributes![name] as unknown as T;

/** Restores reduced axes with length 1, so that a reduction's result broadcasts against its input. */
const keepAxes = (value: tf.Tensor, shape: readonly number[], axes: number | readonly number[]): tf.Tensor => {
  const reduced = new Set(tf.util.parseAxisParam(axes as number | number[], [...shape]));
  return tf.reshape(
    value,
    shape.map((size, axis) => (reduced.has(axis) ? 1 : size)),
  );
};

/** relflow's gradients, by the kernel's name; filled once. */
const ownGradients = new Map<string, tf.GradConfig>();

/** Filled by a kernel, on the device: `tf.zeros` and `tf.ones` copy arrays from JavaScript. */
const filled = (shape: readonly number[], value: number) => tf.fill([...shape], value);
const scalarOf =
  (name: string) =>
  (dy: tf.Tensor, [y]: Inputs, f: (dy: tf.Tensor, y: tf.Tensor) => tf.Tensor) =>
    ({ [name]: () => f(dy, y!) }) satisfies Gradients;

/** Registers the gradient of an elementwise function, which saves its input (`x`) or its output (`y`). */
function elementwise(kernel: string, save: 'x' | 'y', f: (dy: tf.Tensor, saved: tf.Tensor) => tf.Tensor): void {
  const rule: Rule = (dy, saved) => scalarOf('x')(dy, saved, f);
  register(kernel, save === 'x' ? { inputs: ['x'] } : { outputs: [true] }, rule);
}

/** Registers the gradients of an elementwise function of two broadcast tensors. */
function binary(
  kernel: string,
  f: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => readonly [() => tf.Tensor, () => tf.Tensor],
): void {
  register(kernel, { inputs: ['a', 'b'] }, (dy, [a, b]) => {
    const [da, db] = f(dy, a!, b!);
    return { a: () => sumTo(da(), a!.shape), b: () => sumTo(db(), b!.shape) };
  });
}

function register(
  kernelName: string,
  save: { readonly inputs?: readonly string[]; readonly outputs?: readonly boolean[]; readonly allInputs?: boolean },
  gradFunc: Rule,
): void {
  ownGradients.set(kernelName, {
    kernelName,
    ...(save.inputs && { inputsToSave: [...save.inputs] }),
    ...(save.outputs && { outputsToSave: [...save.outputs] }),
    ...(save.allInputs && { saveAllInputs: true }),
    gradFunc: (dy, saved, attributes) => gradFunc(dy as tf.Tensor, saved, attributes),
  });
}

/** Registers a zero gradient, which tfjs requires because comparisons appear in conditions of differentiated functions. */
const registerZeroGradient = (kernel: string, names: readonly string[]) =>
  register(kernel, { inputs: names }, (_, saved) =>
    Object.fromEntries(names.map((name, k) => [name, () => filled(saved[k]!.shape, 0)])),
  );

/**
 * Registers the gradients of the kernels that relflow's models and losses use, in place of any others.
 *
 * TensorFlow.js has gradients of its own, but its Node entry does not register them, and Node cannot import the module that
 * does: it is ESM in a package declared as CommonJS. Importing all of TensorFlow.js, as tfjs-node does, registers them over
 * relflow's: the gradient of a tile becomes a slice and a sum for each repeat. Therefore every start of a backend calls this
 * again after its imports.
 */
export function registerGradients(): void {
  if (ownGradients.size === 0) defineGradients();
  for (const [kernelName, gradient] of ownGradients) {
    const registered = tf.getGradient(kernelName);
    if (registered === gradient) continue;
    if (registered) tf.unregisterGradient(kernelName);
    tf.registerGradient(gradient);
  }
}

function defineGradients(): void {
  registerShapeGradients();
  registerArithmeticGradients();
  registerElementwiseGradients();
  registerReductionGradients();
  registerProductGradients();
  for (const kernel of ['Greater', 'GreaterEqual', 'Less', 'LessEqual', 'Equal', 'NotEqual', 'LogicalAnd'])
    registerZeroGradient(kernel, ['a', 'b']);
  for (const kernel of ['Floor', 'Step', 'Sign', 'OnesLike', 'ZerosLike']) registerZeroGradient(kernel, ['x']);
}

function registerShapeGradients(): void {
  register('Identity', {}, (dy) => ({ x: () => tf.cast(dy, 'float32') }));
  register('Cast', {}, (dy) => ({ x: () => tf.cast(dy, 'float32') }));
  register('Reshape', { inputs: ['x'] }, (dy, [x]) => ({ x: () => tf.reshape(dy, x!.shape) }));
  register('ExpandDims', { inputs: ['input'] }, (dy, [x]) => ({ input: () => tf.reshape(dy, x!.shape) }));
  register('Transpose', {}, (dy, _, attributes) => ({
    x: () => {
      const order = attribute<number[]>(attributes, 'perm');
      return tf.transpose(dy, tf.backend_util.getUndoAxesPermutation(order));
    },
  }));
  register('Slice', { inputs: ['x'] }, (dy, [x], attributes) => ({
    x: () => {
      const [begin, size] = tf.slice_util.parseSliceParams(
        x!,
        attribute<number[]>(attributes, 'begin'),
        attribute<number[]>(attributes, 'size'),
      ) as [number[], number[]];
      return tf.pad(
        dy,
        begin.map((start, axis) => [start, x!.shape[axis]! - start - size[axis]!]),
      );
    },
  }));
  register('PadV2', { inputs: ['x'] }, (dy, [x], attributes) => ({
    x: () => {
      const begin = attribute<[number, number][]>(attributes, 'paddings').map(([before]) => before);
      return tf.slice(dy, begin, x!.shape);
    },
  }));
  register('Concat', { allInputs: true }, (dy, saved, attributes) => {
    const axis = tf.util.parseAxisParam(attribute<number>(attributes, 'axis'), saved[0]!.shape)[0]!;
    let start = 0;
    const parts = saved.map(({ shape }): [string, () => tf.Tensor] => {
      const begin = shape.map(() => 0);
      begin[axis] = start;
      start += shape[axis]!;
      return ['', () => tf.slice(dy, begin, shape)];
    });
    return Object.fromEntries(parts.map(([, part], k) => [k, part]));
  });
  register('Pack', { allInputs: true }, (dy, saved, attributes) => {
    const axis = attribute<number>(attributes, 'axis');
    const at = axis < 0 ? axis + dy.rank : axis;
    return Object.fromEntries(
      saved.map((tensor, k) => [
        k,
        () =>
          tf.reshape(
            tf.slice(
              dy,
              dy.shape.map((_, i) => (i === at ? k : 0)),
              dy.shape.map((size, i) => (i === at ? 1 : size)),
            ),
            tensor.shape,
          ),
      ]),
    );
  });
  register('SplitV', {}, (dy, _, attributes) => ({
    x: () => tf.concat(dy as unknown as tf.Tensor[], attribute<number>(attributes, 'axis')),
  }));
  register('Unpack', {}, (dy, _, attributes) => ({
    value: () => tf.stack(dy as unknown as tf.Tensor[], attribute<number>(attributes, 'axis')),
  }));
  register('Tile', { inputs: ['x'] }, (dy, [x], attributes) => ({
    x: () => {
      const repeats = attribute<number[]>(attributes, 'reps');
      const split = x!.shape.flatMap((size, axis) => [repeats[axis]!, size]);
      const axes = x!.shape.map((_, axis) => 2 * axis);
      return tf.sum(tf.reshape(dy, split), axes);
    },
  }));
  register('GatherV2', { inputs: ['x', 'indices'] }, (dy, [x, indices], attributes) => ({
    x: () => {
      const axis = tf.util.parseAxisParam(attribute<number>(attributes, 'axis'), x!.shape)[0]!;
      if ((attributes?.['batchDims'] ?? 0) !== 0) throw new Error('gather: its gradient supports no batch dimensions');
      const [count, rank] = [x!.shape[axis]!, indices!.rank];
      const [outer, inner] = [x!.shape.slice(0, axis), x!.shape.slice(axis + 1)];
      const range = (from: number, to: number) => Array.from({ length: to - from }, (_, k) => from + k);
      // The gathered axes first: [indices…, outer…, inner…].
      const order = [...range(axis, axis + rank), ...range(0, axis), ...range(axis + rank, dy.rank)];
      const sums = tf.unsortedSegmentSum(
        tf.reshape(axis === 0 ? dy : tf.transpose(dy, order), [indices!.size, x!.size / Math.max(1, count)]),
        tf.reshape(indices!, [indices!.size]) as tf.Tensor1D,
        count,
      );
      if (axis === 0) return tf.reshape(sums, x!.shape);
      const back = [...range(1, axis + 1), 0, ...range(axis + 1, x!.rank)];
      return tf.transpose(tf.reshape(sums, [count, ...outer, ...inner]), back);
    },
    indices: () => filled(indices!.shape, 0),
  }));
  register('Select', { inputs: ['condition'] }, (dy, [condition]) => {
    const mask = () => tf.cast(condition!, 'float32');
    return {
      condition: () => filled(condition!.shape, 0),
      t: () => tf.mul(dy, mask()),
      e: () => tf.mul(dy, tf.sub(1, mask())),
    };
  });
}

function registerArithmeticGradients(): void {
  binary('Add', (dy) => [() => dy, () => dy]);
  binary('Sub', (dy) => [() => dy, () => tf.neg(dy)]);
  binary('Multiply', (dy, a, b) => [() => tf.mul(dy, b), () => tf.mul(dy, a)]);
  binary('RealDiv', (dy, a, b) => [() => tf.div(dy, b), () => tf.neg(tf.div(tf.mul(dy, a), tf.square(b)))]);
  // For equal elements the first input receives the whole gradient of a maximum or minimum, the second none.
  binary('Maximum', (dy, a, b) => [
    () => tf.mul(dy, tf.cast(tf.greaterEqual(a, b), 'float32')),
    () => tf.mul(dy, tf.cast(tf.less(a, b), 'float32')),
  ]);
  binary('Minimum', (dy, a, b) => [
    () => tf.mul(dy, tf.cast(tf.lessEqual(a, b), 'float32')),
    () => tf.mul(dy, tf.cast(tf.greater(a, b), 'float32')),
  ]);
  binary('SquaredDifference', (dy, a, b) => [
    () => tf.mul(dy, tf.mul(2, tf.sub(a, b))),
    () => tf.mul(dy, tf.mul(2, tf.sub(b, a))),
  ]);
  register('AddN', { allInputs: true }, (dy, saved) =>
    Object.fromEntries(saved.map((_, k) => [k, () => tf.clone(dy)])),
  );
}

function registerElementwiseGradients(): void {
  register('Neg', {}, (dy) => ({ x: () => tf.neg(dy) }));
  elementwise('Abs', 'x', (dy, x) => tf.mul(dy, tf.sign(x)));
  elementwise('Square', 'x', (dy, x) => tf.mul(dy, tf.mul(2, x)));
  elementwise('Sqrt', 'y', (dy, y) => tf.div(dy, tf.mul(2, y)));
  elementwise('Rsqrt', 'x', (dy, x) => tf.mul(dy, tf.mul(-0.5, tf.div(tf.rsqrt(x), x))));
  elementwise('Reciprocal', 'y', (dy, y) => tf.neg(tf.mul(dy, tf.square(y))));
  elementwise('Exp', 'y', (dy, y) => tf.mul(dy, y));
  elementwise('Log', 'x', (dy, x) => tf.div(dy, x));
  elementwise('Log1p', 'x', (dy, x) => tf.div(dy, tf.add(1, x)));
  elementwise('Sin', 'x', (dy, x) => tf.mul(dy, tf.cos(x)));
  elementwise('Cos', 'x', (dy, x) => tf.neg(tf.mul(dy, tf.sin(x))));
  elementwise('Sigmoid', 'y', (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y))));
  elementwise('Tanh', 'y', (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y))));
  elementwise('Relu', 'y', (dy, y) =>
    hasKernel('RelflowReluGradient') ? runKernel('RelflowReluGradient', { y, dy })[0]! : tf.mul(dy, tf.step(y)),
  );
  elementwise('Softplus', 'x', (dy, x) => tf.mul(dy, tf.sigmoid(x)));
  elementwise('Erf', 'x', (dy, x) => tf.mul(dy, tf.mul(2 / Math.sqrt(Math.PI), tf.exp(tf.neg(tf.square(x))))));
  register('ClipByValue', { inputs: ['x'] }, (dy, [x], attributes) => ({
    x: () => {
      const [lowest, highest] = [
        attribute<number>(attributes, 'clipValueMin'),
        attribute<number>(attributes, 'clipValueMax'),
      ];
      const inside = tf.logicalAnd(tf.greaterEqual(x!, lowest), tf.lessEqual(x!, highest));
      return tf.mul(dy, tf.cast(inside, 'float32'));
    },
  }));
  register('Softmax', { outputs: [true] }, (dy, [y]) => ({
    logits: () => {
      if (hasKernel('RelflowSoftmaxGradient')) return runKernel('RelflowSoftmaxGradient', { y: y!, dy })[0]!;
      const weighted = tf.mul(dy, y!);
      return tf.sub(weighted, tf.mul(tf.sum(weighted, -1, true), y!));
    },
  }));
}

function registerReductionGradients(): void {
  register('Sum', { inputs: ['x'] }, (dy, [x], attributes) => ({
    x: () => tf.mul(keepAxes(dy, x!.shape, attribute<number[]>(attributes, 'axis')), filled(x!.shape, 1)),
  }));
  register('Mean', { inputs: ['x'] }, (dy, [x], attributes) => ({
    x: () => {
      const axes = tf.util.parseAxisParam(attribute<number[]>(attributes, 'axis'), x!.shape);
      const count = axes.reduce((product, axis) => product * x!.shape[axis]!, 1);
      return tf.mul(keepAxes(dy, x!.shape, axes), filled(x!.shape, 1 / count));
    },
  }));
  // Each of several equal extremes receives the whole gradient.
  for (const kernel of ['Max', 'Min'])
    register(kernel, { inputs: ['x'], outputs: [true] }, (dy, [x, y], attributes) => ({
      x: () => {
        const axes = attribute<number[]>(attributes, kernel === 'Max' ? 'reductionIndices' : 'axis');
        const isExtreme = tf.equal(x!, keepAxes(y!, x!.shape, axes));
        return tf.mul(keepAxes(dy, x!.shape, axes), tf.cast(isExtreme, 'float32'));
      },
    }));
  register('Cumsum', {}, (dy, _, attributes) => ({
    x: () =>
      tf.cumsum(
        dy,
        attribute<number>(attributes, 'axis'),
        attribute<boolean>(attributes, 'exclusive'),
        !attribute<boolean>(attributes, 'reverse'),
      ),
  }));
  register('UnsortedSegmentSum', { inputs: ['segmentIds'] }, (dy, [ids]) => ({
    x: () => tf.gather(dy, ids!),
    segmentIds: () => filled(ids!.shape, 0),
  }));
}

function registerProductGradients(): void {
  register('BatchMatMul', { inputs: ['a', 'b'] }, (dy, [a, b], attributes) => {
    const [transposeA, transposeB] = [
      attribute<boolean>(attributes, 'transposeA'),
      attribute<boolean>(attributes, 'transposeB'),
    ];
    return {
      a: () =>
        sumTo(transposeA ? tf.matMul(b!, dy, transposeB, true) : tf.matMul(dy, b!, false, !transposeB), a!.shape),
      b: () =>
        sumTo(transposeB ? tf.matMul(dy, a!, true, transposeA) : tf.matMul(a!, dy, !transposeA, false), b!.shape),
    };
  });
  register('Conv2D', { inputs: ['x', 'filter'] }, (dy, [x, filter], attributes) => {
    const { strides, pad, dataFormat, dimRoundingMode } = attributes as unknown as tf.Conv2DAttrs;
    const run = (kernel: string, inputs: tf.NamedTensorMap, shape: object): tf.Tensor =>
      tf
        .engine()
        .runKernel(kernel, inputs, { strides, pad, dataFormat, dimRoundingMode, ...shape } as never) as tf.Tensor;
    return {
      x: () => run('Conv2DBackpropInput', { dy, filter: filter! }, { inputShape: x!.shape }),
      filter: () => run('Conv2DBackpropFilter', { x: x!, dy }, { filterShape: filter!.shape }),
    };
  });
  register('MaxPool', { inputs: ['x'], outputs: [true] }, (dy, [x, y], attributes) => ({
    x: () => tf.engine().runKernel('MaxPoolGrad', { dy, input: x!, output: y! }, attributes) as tf.Tensor,
  }));
}
