import type * as tf from '@tensorflow/tfjs-core';

/** Shape and type of a value. */
export interface RecordedValue {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
}

/** One call of a kernel. Values are indices into `Recording.values`. */
export interface RecordedCall {
  readonly kernel: string;
  /** Values by the input's name; a list of inputs has the names `0`, `1`, …. */
  readonly inputs: Readonly<Record<string, number>>;
  /** Whether the kernel takes a list of inputs, as Concat does. */
  readonly hasInputList: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly outputs: readonly number[];
}

/** The kernel calls of a computation with fixed shapes, in order. */
export interface Recording {
  /** Name of the backend whose kernels are called. */
  readonly target: string;
  readonly values: readonly RecordedValue[];
  /** Values that are the same in every replay. */
  readonly constants: ReadonlyMap<number, tf.TypedArray>;
  /** Values that each replay is given anew, see `dataTensor`. */
  readonly data: ReadonlyMap<string, number>;
  /** Values that come from tensors outside of the computation: variables, which each replay reads as they are then. */
  readonly outside: ReadonlyMap<number, tf.Tensor>;
  readonly calls: readonly RecordedCall[];
  readonly outputs: Readonly<Record<string, number>>;
}

/**
 * Finds when values are no longer needed.
 * @returns for each call the values that it is the last one to use, outputs of the recording excepted
 */
export function lastUses({ calls, outputs, constants, data, outside }: Recording): readonly (readonly number[])[] {
  const kept = new Set([...Object.values(outputs), ...constants.keys(), ...data.values(), ...outside.keys()]);
  const seen = new Set<number>();
  return calls
    .toReversed()
    .map((call) => {
      const last = [...Object.values(call.inputs), ...call.outputs].filter(
        (value) => !kept.has(value) && !seen.has(value),
      );
      for (const value of last) seen.add(value);
      return [...new Set(last)];
    })
    .reverse();
}

/**
 * Removes calls whose outputs are not needed, such as gradients of constants, and data that no call reads.
 * @returns the recording without them
 */
export function withoutUnusedCalls(recording: Recording): Recording {
  const needed = new Set(Object.values(recording.outputs));
  const calls = recording.calls.toReversed().filter((call) => {
    if (!call.outputs.some((value) => needed.has(value))) return false;
    for (const value of Object.values(call.inputs)) needed.add(value);
    return true;
  });
  const data = new Map([...recording.data].filter(([, value]) => needed.has(value)));
  return { ...recording, data, calls: calls.reverse() };
}

/**
 * Compares two recordings of the same computation with different data.
 * @returns what differs besides the data, in words; null if nothing does
 */
export function recordingDifference(a: Recording, b: Recording): string | null {
  const text = (recording: Recording, k: number) => JSON.stringify(recording.calls[k] ?? null);
  for (let k = 0; k < Math.max(a.calls.length, b.calls.length); k++) {
    if (text(a, k) === text(b, k)) continue;
    return `call ${k} (${a.calls[k]?.kernel ?? 'none'}, ${b.calls[k]?.kernel ?? 'none'})`;
  }
  const used = new Set(a.calls.flatMap(({ inputs }) => Object.values(inputs)));
  for (const [value, numbers] of a.constants) {
    if (!used.has(value)) continue;
    const other = b.constants.get(value);
    if (other?.length === numbers.length && numbers.every((number, k) => Object.is(number, other[k]))) continue;
    const user = a.calls.find(({ inputs }) => Object.values(inputs).includes(value))!;
    return `a constant of kernel ${user.kernel}, [${a.values[value]!.shape}]: numbers that depend on data need dataTensor`;
  }
  const names = (recording: Recording) => [...recording.data.keys()].join();
  return names(a) === names(b) ? null : `the names of the data (${names(a)}; ${names(b)})`;
}
