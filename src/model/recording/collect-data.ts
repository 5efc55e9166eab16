import * as tf from '@tensorflow/tfjs-core';
import { type RecordOptions, withRecorder } from './record-kernels.js';

/**
 * Collects the data of a computation without recording it: what each `dataTensor` is given.
 * @returns numbers by name
 */
export function collectData(options: RecordOptions, work: () => void): ReadonlyMap<string, tf.TypedArray> {
  return withRecorder({ ...options, isRecorded: false }, (recorder) => {
    tf.tidy(work);
    return recorder.dataValues;
  });
}
