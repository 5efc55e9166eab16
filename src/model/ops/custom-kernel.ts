import * as tf from '@tensorflow/tfjs-core';

/**
 * Whether the running backend has a kernel of relflow's own. Each operation that asks has a plain version beside it, which
 * is what its kernel is compared with, and what runs where there is none.
 */
export const hasKernel = (name: string): boolean => tf.getKernel(name, tf.getBackend()) !== undefined;

/** Runs a kernel of relflow's own. */
export function runKernel(name: string, inputs: tf.NamedTensorMap, attributes: tf.NamedAttrMap = {}): tf.Tensor[] {
  const made = tf.engine().runKernel(name, inputs, attributes);
  return Array.isArray(made) ? made : [made];
}
