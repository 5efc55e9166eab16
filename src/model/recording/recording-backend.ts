import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { constantKey } from '../backends/kernels/native-ops.js';
import { type KernelCall, type KernelOutput, shapeRules } from '../backends/shape-rules.js';
import type { RecordedCall, RecordedValue } from './recording.js';

/** Constants of at most this many numbers are stored once. */
const SHARED_NUMBERS = 16;

/** Returns the name of the backend that records kernels of another one. */
export const recordingName = (target: string): string => `recording-${target}`;

/** A backend that computes nothing: it writes down which kernels are called with which values. */
export class RecordingBackend extends tf.KernelBackend {
  readonly values: RecordedValue[] = [];
  readonly constants = new Map<number, tf.TypedArray>();
  readonly data = new Map<string, number>();
  readonly dataValues = new Map<string, tf.TypedArray>();
  readonly outside = new Map<number, tf.Tensor>();
  readonly calls: RecordedCall[] = [];
  readonly #ids = new WeakMap<object, number>();
  /** Tensors that share data, where there is more than one. */
  readonly #references = new WeakMap<object, number>();
  readonly #shared = new Map<string, number>();
  /** Variables by their data, so that a replay reads what they hold then. */
  readonly #variables: ReadonlyMap<object, tf.Variable>;

  /** Whether padding of images is masked even if there is none. */
  readonly isPadded: boolean;
  readonly #isRecorded: boolean;

  /** @param options whether calls are written down, or only the data is collected; and `isPadded` */
  constructor({ isRecorded, isPadded }: { readonly isRecorded: boolean; readonly isPadded: boolean }) {
    super();
    this.isPadded = isPadded;
    this.#isRecorded = isRecorded;
    const variables = Object.values(tf.engine().registeredVariables);
    this.#variables = new Map(variables.map((variable) => [variable.dataId, variable]));
  }

  #add(shape: readonly number[], dtype: tf.DataType): number {
    this.values.push({ shape: [...shape], dtype });
    return this.values.length - 1;
  }

  #info(value: number): tf.TensorInfo {
    const { shape, dtype } = this.values[value]!;
    const dataId = {};
    this.#ids.set(dataId, value);
    return { dataId, shape: [...shape], dtype };
  }

  /** Returns the value that a tensor stands for. */
  idOf(tensor: tf.TensorInfo): number {
    const known = this.#ids.get(tensor.dataId);
    if (known !== undefined) return known;
    const value = this.#add(tensor.shape, tensor.dtype);
    this.#ids.set(tensor.dataId, value);
    const isVariable = tensor instanceof tf.Variable;
    this.outside.set(value, isVariable ? tensor : (this.#variables.get(tensor.dataId) ?? (tensor as tf.Tensor)));
    return value;
  }

  /** Adds a value that each replay is given anew. The same name twice is the same value. */
  addData(name: string, values: tf.TypedArray, shape: readonly number[], dtype: tf.DataType): tf.TensorInfo {
    const known = this.data.get(name);
    if (known === undefined) {
      const value = this.#add(shape, dtype);
      this.data.set(name, value);
      this.dataValues.set(name, values);
      return this.#info(value);
    }
    const first = this.dataValues.get(name)!;
    if (first.length !== values.length || first.some((number, k) => !Object.is(number, values[k])))
      throw new RelflowError('recording', `recording: data ${name} has two different values in one computation`);
    return this.#info(known);
  }

  /** Writes down a call, and returns what its outputs will be. */
  call(kernel: string, inputs: object, attributes: object): tf.TensorInfo | tf.TensorInfo[] {
    const given = Object.entries(inputs as Record<string, tf.TensorInfo | undefined>).flatMap(([name, tensor]) =>
      tensor ? [[name, tensor] as const] : [],
    );
    const result = shapeRules[kernel]!({ inputs: Object.fromEntries(given), attributes } as unknown as KernelCall);
    const isSingle = 'shape' in result;
    const outputs = (isSingle ? [result] : result).map(({ shape, dtype }: KernelOutput) =>
      this.#info(this.#add(shape, dtype ?? 'float32')),
    );
    if (this.#isRecorded)
      this.calls.push({
        kernel,
        inputs: Object.fromEntries(given.map(([name, tensor]) => [name, this.idOf(tensor)])),
        hasInputList: Array.isArray(inputs),
        attributes: { ...attributes },
        outputs: outputs.map((output) => this.idOf(output)),
      });
    return isSingle ? outputs[0]! : outputs;
  }

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const numbers = values as tf.TypedArray;
    const key = numbers.length <= SHARED_NUMBERS ? constantKey(numbers, shape, dtype) : undefined;
    const known = key === undefined ? undefined : this.#shared.get(key);
    const value = known ?? this.#add(shape, dtype);
    this.constants.set(value, numbers);
    if (key !== undefined) this.#shared.set(key, value);
    return this.#info(value).dataId;
  }

  override move(): void {
    throw new RelflowError('recording', 'recording: a tensor of another backend cannot be moved');
  }

  override readSync(id: tf.DataId): tf.backend_util.BackendValues {
    const values = this.constants.get(this.#ids.get(id) ?? -1);
    if (values) return values;
    throw new RelflowError('recording', 'recording: a computation that is recorded must not read its own values');
  }

  override async read(id: tf.DataId): Promise<tf.backend_util.BackendValues> {
    return this.readSync(id);
  }

  override disposeData(id: tf.DataId): boolean {
    const references = this.refCount(id) - 1;
    this.#references.set(id, references);
    return references === 0;
  }

  override refCount(id: tf.DataId): number {
    return this.#references.get(id) ?? 1;
  }

  override incRef(id: tf.DataId): void {
    if (!this.#ids.has(id)) throw new RelflowError('recording', 'recording: a variable must not be detached');
    this.#references.set(id, this.refCount(id) + 1);
  }

  override numDataIds(): number {
    return this.values.length;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override epsilon(): number {
    return 1e-7;
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override dispose(): void {}
}

/** Returns the running recording; undefined if nothing is being recorded. */
export function activeRecording(): RecordingBackend | undefined {
  const { backendName } = tf.engine();
  if (!backendName?.startsWith('recording-')) return undefined;
  return tf.engine().backend as RecordingBackend;
}
