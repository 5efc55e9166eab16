import * as tf from '@tensorflow/tfjs-core';
import type { RecordedValue, Recording } from '../recording.js';
import type { GraphBuilder } from './graph-builder.js';

/** Arrays of more numbers are inputs of their own; the others travel together, since each input has a cost. */
const LARGE = 65_536;

/** An array within a packed input. */
interface Part {
  readonly name: string;
  readonly value: RecordedValue;
  readonly start: number;
  readonly size: number;
}

/** An input of a graph. */
interface Input {
  readonly node: string;
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly parts: readonly Part[];
}

/** How the data of a recording reaches a graph: large arrays each as an input, small ones together. */
export class PackedData {
  readonly #inputs: Input[] = [];
  /** Large arrays that the device has already, by input. */
  readonly #held = new Map<string, { readonly numbers: tf.TypedArray; readonly tensor: tf.Tensor }>();

  /** @param prefix of the names of the inputs */
  constructor(recording: Recording, prefix: string) {
    const groups = { float32: [] as Part[], int32: [] as Part[] };
    const ends = { float32: 0, int32: 0 };
    for (const [name, index] of recording.data) {
      const value = recording.values[index]!;
      const dtype = value.dtype as 'float32' | 'int32';
      const size = tf.util.sizeFromShape([...value.shape]);
      if (size > LARGE) {
        const part = { name, value, start: 0, size };
        this.#inputs.push({ node: `${prefix}/${name}`, dtype, shape: value.shape, parts: [part] });
        continue;
      }
      groups[dtype].push({ name, value, start: ends[dtype], size });
      ends[dtype] += size;
    }
    for (const dtype of ['float32', 'int32'] as const)
      if (ends[dtype] > 0)
        this.#inputs.push({ node: `${prefix}/${dtype}`, dtype, shape: [ends[dtype]], parts: groups[dtype] });
  }

  /** Adds the inputs to a graph. @returns the node of each array, by its name */
  addTo(graph: GraphBuilder): Map<string, string> {
    const nodes = new Map<string, string>();
    const ints = (values: readonly number[]) => graph.constant(values, [values.length], 'int32');
    for (const { node, dtype, shape, parts } of this.#inputs) {
      const input = graph.input(node, shape, dtype);
      for (const { name, value, start, size } of parts) {
        if (size > LARGE) {
          nodes.set(name, input);
          continue;
        }
        const type = { T: { type: dtype } } as const;
        const part = graph.run('Slice', [input, ints([start]), ints([size])], { ...type, Index: { type: 'int32' } });
        nodes.set(name, graph.run('Reshape', [part, ints(value.shape)], { ...type, Tshape: { type: 'int32' } }));
      }
    }
    return nodes;
  }

  /**
   * Makes the tensors of a run.
   * @param data numbers of each array, by name
   * @returns by the input's name; large arrays that were given before stay on the device, and are not to be disposed of
   */
  tensors(data: ReadonlyMap<string, tf.TypedArray>): {
    readonly inputs: Map<string, tf.Tensor>;
    readonly dispose: () => void;
  } {
    const inputs = new Map<string, tf.Tensor>();
    const made: tf.Tensor[] = [];
    for (const { node, dtype, shape, parts } of this.#inputs) {
      const first = parts[0]!;
      if (first.size > LARGE) {
        inputs.set(node, this.#large(node, data.get(first.name)!, shape, dtype));
        continue;
      }
      const numbers = dtype === 'int32' ? new Int32Array(shape[0]!) : new Float32Array(shape[0]!);
      for (const { name, start } of parts) numbers.set(data.get(name)!, start);
      const tensor = tf.tensor(numbers, [...shape], dtype);
      made.push(tensor);
      inputs.set(node, tensor);
    }
    return { inputs, dispose: () => tf.dispose(made) };
  }

  #large(node: string, numbers: tf.TypedArray, shape: readonly number[], dtype: 'float32' | 'int32'): tf.Tensor {
    const known = this.#held.get(node);
    if (known?.numbers === numbers) return known.tensor;
    known?.tensor.dispose();
    const tensor = tf.keep(tf.tensor(numbers, [...shape], dtype));
    this.#held.set(node, { numbers, tensor });
    return tensor;
  }

  dispose(): void {
    for (const { tensor } of this.#held.values()) tensor.dispose();
    this.#held.clear();
  }
}
