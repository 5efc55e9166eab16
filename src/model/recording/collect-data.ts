import * as tf from '@tensorflow/tfjs-core';
import { withRecorder } from './record-kernels.js';

/**
 * Collects the data of a computation without recording it: what each `dataTensor` is given.
 * @param target see `recordKernels`
 * @param kernels see `recordKernels`
 * @returns numbers by name
 */
export function collectData(
  target: string,
  kernels: Iterable<string>,
  work: () => void,
): ReadonlyMap<string, tf.TypedArray> {
  return withRecorder({ target, kernels, isRecorded: false }, (recorder) => {
    tf.tidy(work);
    return recorder.dataValues;
  });
}
