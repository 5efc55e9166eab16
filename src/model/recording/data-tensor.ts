import * as tf from '@tensorflow/tfjs-core';
import { activeRecording } from './recording-backend.js';

/**
 * Makes a tensor of numbers that depend on the data, such as pixels, boxes and masks. A recorded computation is given them
 * anew by their name at each replay; every other tensor that it makes is a constant.
 * @param name the same for the same numbers, distinct for others
 */
export function dataTensor<T extends tf.Tensor>(
  name: string,
  values: Float32Array | Int32Array,
  shape: readonly number[],
): T {
  const dtype = values instanceof Int32Array ? 'int32' : 'float32';
  const recording = activeRecording();
  if (!recording) return tf.tensor(values, [...shape], dtype) as T;
  return tf.engine().makeTensorFromTensorInfo(recording.addData(name, values, shape, dtype)) as T;
}

/**
 * Whether a computation is being recorded. Its masks are always there, even where nothing is masked, so that one recording
 * serves all data of the same shapes.
 */
export const isRecording = (): boolean => activeRecording() !== undefined;

/** Whether a computation is being recorded whose images may be padded in another run, so that padding is masked in any case. */
export const isPaddingRecorded = (): boolean => activeRecording()?.isPadded ?? false;
