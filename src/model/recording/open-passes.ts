import * as tf from '@tensorflow/tfjs-core';
import { eagerPasses, type ModelPasses } from './model-passes.js';

/**
 * Returns what runs the passes of a model on the running backend: recorded on tensorflow and webgpu, else operation by operation.
 * @param isEager true to record nothing
 */
export async function openPasses(isEager = false): Promise<ModelPasses> {
  const backend = tf.getBackend();
  if (!isEager && backend === 'webgpu') return new (await import('./webgpu/replayed-passes.js')).ReplayedPasses();
  if (isEager || backend !== 'tensorflow') return eagerPasses;
  const { RecordedPasses } = await import('./tensorflow/recorded-passes.js');
  return new RecordedPasses();
}
