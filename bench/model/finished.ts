import * as tf from '@tensorflow/tfjs-core';

let probe: tf.Tensor | undefined;

/**
 * Resolves when all computations so far are finished: a GPU computes asynchronously, in order. What waits is large enough not to
 * be computed on the processor instead.
 */
export async function finished(): Promise<void> {
  probe ??= tf.keep(tf.fill([4096], 1));
  const last = tf.add(probe, 1);
  await last.data();
  last.dispose();
}
