import * as tf from '@tensorflow/tfjs-core';

/**
 * Whether the active backend has a kernel of relflow's own. Each operation with such a kernel also has a reference
 * implementation, which runs on backends without the kernel and which tests compare the kernel with.
 */
export const hasKernel = (name: string): boolean => tf.getKernel(name, tf.getBackend()) !== undefined;

/** Runs a kernel of relflow's own and returns its outputs. */
export function runKernel(name: string, inputs: tf.NamedTensorMap, attributes: tf.NamedAttrMap = {}): tf.Tensor[] {
  const outputs = tf.engine().runKernel(name, inputs, attributes);
  return Array.isArray(outputs) ? outputs : [outputs];
}
