import { NativeMath } from './native-math.js';
import type { NativeInput, NativeKernel, NativeOps } from './native-ops.js';

type Inputs<V> = Readonly<Record<string, NativeInput<V>>>;

/** The inputs of an operation of deformable-attention.c, without dy. */
function inputsOf<V>(ops: NativeOps<V>, { value, locations, weights }: Inputs<V>, levels: unknown): V[] {
  const sizes = levels as readonly (readonly [number, number])[];
  return [value!.value, ops.constant(sizes.flat(), [sizes.length, 2], 'int32'), locations!.value, weights!.value];
}

/** Deformable attention by the operations of deformable-attention.c, once `loadCompiledKernels` has loaded them. */
export const compiledDeformableAttention: Readonly<Record<string, NativeKernel>> = {
  RelflowDeformableAttention: (ops, inputs, { levels }) => {
    const [batch, queries, heads] = inputs['weights']!.shape as [number, number, number];
    const [y] = ops.runAll('RelflowDeformableAttention', inputsOf(ops, inputs, levels), 1);
    return new NativeMath(ops).reshape(y!, [batch, queries, heads * inputs['value']!.shape[3]!]);
  },

  RelflowDeformableAttentionGradient: (ops, inputs, { levels }) =>
    ops.runAll('RelflowDeformableAttentionGradient', [...inputsOf(ops, inputs, levels), inputs['dy']!.value], 3),
};
