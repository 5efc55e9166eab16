import * as tf from '@tensorflow/tfjs-core';
import { lastUses, type Recording } from './recording.js';

/**
 * Runs a recording on the active backend, kernel by kernel: the reference for backends that replay it in one go.
 * @param data numbers of each `dataTensor`, by name
 * @returns the outputs, which the caller disposes of
 */
export function replayRecording(
  recording: Recording,
  data: ReadonlyMap<string, tf.TypedArray>,
): Record<string, tf.Tensor> {
  const { values, constants, outside, calls, outputs } = recording;
  const ends = lastUses(recording);
  const result: Record<string, tf.Tensor> = {};
  const engine = tf.engine();
  tf.tidy(() => {
    const tensors = new Map<number, tf.Tensor>(outside);
    const make = (value: number, numbers: tf.TypedArray) => {
      const { shape, dtype } = values[value]!;
      tensors.set(value, engine.makeTensor(numbers, [...shape], dtype));
    };
    for (const [value, numbers] of constants) make(value, numbers);
    for (const [name, value] of recording.data) make(value, data.get(name)!);
    for (const [k, call] of calls.entries()) {
      const inputs = Object.fromEntries(
        Object.entries(call.inputs).map(([name, value]) => [name, tensors.get(value)!]),
      );
      const given = call.hasInputList ? (Object.values(inputs) as unknown as tf.NamedTensorMap) : inputs;
      const made = engine.runKernel(call.kernel, given, call.attributes as unknown as tf.NamedAttrMap);
      for (const [at, tensor] of (Array.isArray(made) ? made : [made]).entries())
        tensors.set(call.outputs[at]!, tensor);
      for (const value of ends[k]!) tensors.get(value)?.dispose();
    }
    for (const [name, value] of Object.entries(outputs)) result[name] = tf.keep(tf.clone(tensors.get(value)!));
  });
  return result;
}
