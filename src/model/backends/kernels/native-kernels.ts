import { nativeDeformableAttention } from './native-deformable-attention.js';
import { nativeLayerKernels } from './native-layer-kernels.js';
import { NativeMath } from './native-math.js';
import type { NativeKernel } from './native-ops.js';

const float = { T: { type: 'float32' } } as const;

/**
 * Kernels of the backend tensorflow, in place of those of tfjs-node or in addition to them.
 *
 * tfjs-node's GatherV2 reads all indices back to compare them in JavaScript, and its Step makes an array of ones in
 * JavaScript.
 */
export const nativeKernels: Readonly<Record<string, NativeKernel>> = {
  GatherV2: (ops, { x, indices }, { axis, batchDims }) =>
    ops.run('GatherV2', [x!.value, indices!.value, ops.constant([axis as number], [], 'int32')], {
      batch_dims: { int: batchDims as number },
      Tparams: { type: x!.dtype },
      Tindices: { type: 'int32' },
      Taxis: { type: 'int32' },
    }),

  Step: (ops, { x }, { alpha }) => {
    const zero = ops.constant([0], [], x!.dtype as 'float32');
    const isPositive = ops.run('Greater', [x!.value, zero], { T: { type: x!.dtype } });
    const [one, slope] = [1, (alpha as number | undefined) ?? 0].map((value) => ops.constant([value], [], 'float32'));
    return ops.run('SelectV2', [isPositive, one!, slope!], float);
  },

  ClipByValue: (ops, { x }, { clipValueMin, clipValueMax }) => {
    const bound = (value: unknown) => ops.constant([value as number], [], x!.dtype as 'float32');
    return ops.run('ClipByValue', [x!.value, bound(clipValueMin), bound(clipValueMax)], { T: { type: x!.dtype } });
  },

  RelflowDropout: (ops, { x, seed }, attributes) => {
    const { rate, index } = attributes as { rate: number; index: number };
    const number = (value: number) => ops.constant([value], [], 'float32');
    const seeds = ops.run('Pack', [seed!.value, ops.constant([index], [], 'int32')], {
      T: { type: 'int32' },
      N: { int: 2 },
      axis: { int: 0 },
    });
    const uniform = ops.run('StatelessRandomUniform', [ops.constant(x!.shape, [x!.shape.length], 'int32'), seeds], {
      dtype: { type: 'float32' },
      T: { type: 'int32' },
      Tseed: { type: 'int32' },
    });
    const isKept = ops.run('GreaterEqual', [uniform, number(rate)], float);
    return ops.run('SelectV2', [isKept, ops.run('Mul', [x!.value, number(1 / (1 - rate))], float), number(0)], float);
  },

  RelflowReluGradient: (ops, { y, dy }) => ops.run('ReluGrad', [dy!.value, y!.value], float),

  RelflowGlobalNorm: (ops, tensors) => {
    const m = new NativeMath(ops);
    return m.reshape(m.norm(Object.values(tensors).map(({ value }) => value)), [1]);
  },

  ...nativeLayerKernels,
  ...nativeDeformableAttention,
};
