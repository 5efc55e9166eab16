import * as tf from '@tensorflow/tfjs-core';
import { type RecordOptions, withRecorder } from './record-kernels.js';

/** What each `dataTensor` of a computation is given. */
export interface CollectedData {
  /** Numbers by name. */
  readonly values: ReadonlyMap<string, tf.TypedArray>;
  /** Names and shapes: the same for computations with the same recording. */
  readonly key: string;
}

/** Collects the data of a computation without recording it: what each `dataTensor` is given. */
export function collectData(options: RecordOptions, work: () => void): CollectedData {
  return withRecorder({ ...options, isRecorded: false }, ({ data, dataValues, values }) => {
    tf.tidy(work);
    const shapes = [...data].map(([name, value]) => `${name} ${values[value]!.shape.join('x')}`);
    return { values: dataValues, key: shapes.sort().join() };
  });
}
