import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { registerGradients } from './register-gradients.js';
import { type KernelCall, type KernelOutput, shapeRules } from './shape-rules.js';

/** Name under which the backend is registered. */
const NAME = 'shapes';

interface ShapeEntry {
  shape: readonly number[];
  dtype: tf.DataType;
  references: number;
}

/**
 * A backend that tracks shapes and bytes but computes nothing. Running a model's own forward and backward passes on it
 * yields their memory without allocating tensors. Reading a tensor returns zeros.
 */
class ShapeBackend extends tf.KernelBackend {
  readonly #entries = new tf.DataStorage<ShapeEntry>(this, tf.engine());
  /** Bytes of all live tensors. */
  bytes = 0;
  /** Largest value of `bytes` so far. */
  peak = 0;

  #keep(id: tf.DataId, shape: readonly number[], dtype: tf.DataType): void {
    this.#entries.set(id, { shape, dtype, references: 1 });
    this.bytes += bytesOf(shape, dtype);
    this.peak = Math.max(this.peak, this.bytes);
  }

  override write(_values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    return this.make(shape, dtype).dataId;
  }

  override move(id: tf.DataId, _values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): void {
    this.#keep(id, shape, dtype);
  }

  make(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo {
    const dataId = {};
    this.#keep(dataId, shape, dtype);
    return { dataId, shape: [...shape], dtype };
  }

  /** Creates a tensor that shares another one's memory. */
  share(x: tf.TensorInfo, shape: readonly number[], dtype: tf.DataType = x.dtype): tf.TensorInfo {
    this.incRef(x.dataId);
    return { dataId: x.dataId, shape: [...shape], dtype };
  }

  override readSync(id: tf.DataId): tf.backend_util.BackendValues {
    const { shape, dtype } = this.#entries.get(id);
    const size = tf.util.sizeFromShape([...shape]);
    return tf.util.getTypedArrayFromDType(dtype as 'float32', size);
  }

  override async read(id: tf.DataId): Promise<tf.backend_util.BackendValues> {
    return this.readSync(id);
  }

  override disposeData(id: tf.DataId, force = false): boolean {
    if (!this.#entries.has(id)) return true;
    const entry = this.#entries.get(id);
    entry.references--;
    if (!force && entry.references > 0) return false;
    this.bytes -= bytesOf(entry.shape, entry.dtype);
    this.#entries.delete(id);
    return true;
  }

  override refCount(id: tf.DataId): number {
    return this.#entries.has(id) ? this.#entries.get(id).references : 0;
  }

  override incRef(id: tf.DataId): void {
    this.#entries.get(id).references++;
  }

  override numDataIds(): number {
    return this.#entries.numDataIds();
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override epsilon(): number {
    return 1e-7;
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override dispose(): void {}
}

const bytesOf = (shape: readonly number[], dtype: tf.DataType): number =>
  tf.util.sizeFromShape([...shape]) * tf.util.bytesPerElement(dtype);

let installed = false;

function install(): void {
  if (installed) return;
  installed = true;
  tf.registerBackend(NAME, () => new ShapeBackend());
  for (const [kernelName, rule] of Object.entries(shapeRules))
    tf.registerKernel({
      kernelName,
      backendName: NAME,
      kernelFunc: ({ inputs, attrs, backend }) => {
        const shapes = backend as unknown as ShapeBackend;
        const realize = ({ shape, dtype, sharedWith }: KernelOutput): tf.TensorInfo =>
          sharedWith ? shapes.share(sharedWith, shape, dtype) : shapes.make(shape, dtype ?? 'float32');
        const result = rule({ inputs, attributes: attrs ?? {} } as unknown as KernelCall);
        return 'shape' in result ? realize(result) : result.map(realize);
      },
    });
}

/**
 * Runs a function on a backend that tracks only shapes, then restores the previous backend.
 * @returns the function's result and the peak memory of its tensors, in bytes
 * @throws RelflowError (`no-shape`) if the function needs a kernel without a shape rule
 */
export async function evaluateShapes<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly peakBytes: number }> {
  install();
  registerGradients();
  const before = tf.engine().backendName;
  await tf.setBackend(NAME);
  try {
    const shapes = tf.backend() as ShapeBackend;
    const start = shapes.bytes;
    shapes.peak = start;
    const result = await work();
    return { result, peakBytes: shapes.peak - start };
  } catch (error) {
    const missing = /Kernel '(\w+)' not registered/.exec((error as Error).message);
    if (!missing) throw error;
    throw new RelflowError(
      'no-shape',
      `memory: kernel '${missing[1]}' has no shape rule, add one to shape-rules.ts`,
      {},
      { cause: error },
    );
  } finally {
    if (before) await tf.setBackend(before);
  }
}
