import * as tf from '@tensorflow/tfjs-core';
import { constantKey, type NativeAttribute, type NativeKernel, type NativeOps } from './native-ops.js';

const NAME = 'tensorflow';

interface BindingAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean;
}

/** Members of tfjs-node's backend that relflow uses. */
export interface NativeBackend extends tf.KernelBackend {
  /** Whether the library computes on a GPU; true also for tfjs-node with the library for GPUs. */
  readonly isUsingGpuDevice: boolean;
  readonly binding: Readonly<
    Record<'TF_ATTR_TYPE' | 'TF_ATTR_INT' | 'TF_ATTR_BOOL' | 'TF_ATTR_FLOAT', number> & { TF_Version: string }
  >;
  getDTypeInteger(dtype: tf.DataType): number;
  executeSingleOutput(
    operation: string,
    attributes: readonly BindingAttribute[],
    inputs: readonly tf.TensorInfo[],
  ): tf.Tensor;
  executeMultipleOutputs(
    operation: string,
    attributes: readonly BindingAttribute[],
    inputs: readonly tf.TensorInfo[],
    outputs: number,
  ): tf.Tensor[];
}

/** Most constants that are kept for further calls; images of other sizes need others. */
const MAX_CONSTANTS = 2000;

/** Runs operations at once. */
class EagerOps implements NativeOps<tf.TensorInfo> {
  readonly #backend: NativeBackend;
  /** Constants, which are not the engine's tensors, so that no scope disposes of them. */
  readonly #constants = new Map<string, tf.TensorInfo>();

  constructor(backend: NativeBackend) {
    this.#backend = backend;
  }

  /** Frees constants if there are many. No kernel may be running. */
  trim(): void {
    if (this.#constants.size <= MAX_CONSTANTS) return;
    for (const { dataId } of this.#constants.values()) this.#backend.disposeData(dataId);
    this.#constants.clear();
  }

  constant(values: readonly number[], shape: readonly number[], dtype: 'float32' | 'int32'): tf.TensorInfo {
    const key = constantKey(values, shape, dtype);
    const known = this.#constants.get(key);
    if (known) return known;
    const numbers = dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
    const made = { dataId: this.#backend.write(numbers, [...shape], dtype) as tf.DataId, shape: [...shape], dtype };
    this.#constants.set(key, made);
    return made;
  }

  /** Single operations are not simplified. */
  opaque(constant: tf.TensorInfo): tf.TensorInfo {
    return constant;
  }

  run(
    operation: string,
    inputs: readonly tf.TensorInfo[],
    attributes: Readonly<Record<string, NativeAttribute>>,
  ): tf.TensorInfo {
    const named = Object.entries(attributes).map(([name, attribute]) => this.#attribute(name, attribute));
    return this.#backend.executeSingleOutput(operation, named, inputs);
  }

  runAll(operation: string, inputs: readonly tf.TensorInfo[], outputs: number): tf.TensorInfo[] {
    return this.#backend.executeMultipleOutputs(operation, [], inputs, outputs);
  }

  #attribute(name: string, attribute: NativeAttribute): BindingAttribute {
    const { binding } = this.#backend;
    if ('type' in attribute)
      return { name, type: binding.TF_ATTR_TYPE, value: this.#backend.getDTypeInteger(attribute.type) };
    if ('int' in attribute) return { name, type: binding.TF_ATTR_INT, value: attribute.int };
    if ('bool' in attribute) return { name, type: binding.TF_ATTR_BOOL, value: attribute.bool };
    return { name, type: binding.TF_ATTR_FLOAT, value: attribute.float };
  }
}

/** Registers kernels for the backend tensorflow, replacing those of the same names. */
export function registerNativeKernels(kernels: Readonly<Record<string, NativeKernel>>): void {
  const ops = new EagerOps(tf.backend() as NativeBackend);
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    if (tf.getKernel(kernelName, NAME)) tf.unregisterKernel(kernelName, NAME);
    tf.registerKernel({
      kernelName,
      backendName: NAME,
      // Disposes of what the kernel makes on its way.
      kernelFunc: ({ inputs, attrs }) => {
        ops.trim();
        return tf.tidy(() => {
          const named = Object.fromEntries(
            Object.entries(inputs as unknown as Record<string, tf.TensorInfo>).map(([name, value]) => [
              name,
              { value, shape: value.shape, dtype: value.dtype },
            ]),
          );
          return kernel(ops, named, (attrs ?? {}) as Readonly<Record<string, unknown>>) as tf.Tensor;
        });
      },
    });
  }
}
