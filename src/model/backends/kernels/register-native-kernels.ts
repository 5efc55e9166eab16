import * as tf from '@tensorflow/tfjs-core';
import { type NativeAttribute, type NativeOps, nativeKernels } from './native-kernels.js';

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
  readonly binding: Readonly<Record<'TF_ATTR_TYPE' | 'TF_ATTR_INT' | 'TF_ATTR_BOOL' | 'TF_ATTR_FLOAT', number>>;
  getDTypeInteger(dtype: tf.DataType): number;
  executeSingleOutput(
    operation: string,
    attributes: readonly BindingAttribute[],
    inputs: readonly tf.TensorInfo[],
  ): tf.Tensor;
}

/** Runs operations at once. */
class EagerOps implements NativeOps<tf.TensorInfo> {
  readonly #backend: NativeBackend;

  constructor(backend: NativeBackend) {
    this.#backend = backend;
  }

  constant(values: readonly number[], shape: readonly number[], dtype: 'float32' | 'int32'): tf.TensorInfo {
    return tf.tensor([...values], [...shape], dtype);
  }

  run(
    operation: string,
    inputs: readonly tf.TensorInfo[],
    attributes: Readonly<Record<string, NativeAttribute>>,
  ): tf.TensorInfo {
    const named = Object.entries(attributes).map(([name, attribute]) => this.#attribute(name, attribute));
    return this.#backend.executeSingleOutput(operation, named, inputs);
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

/** Registers the kernels of `nativeKernels` for the backend tensorflow, replacing those of the same names. */
export function registerNativeKernels(): void {
  const ops = new EagerOps(tf.backend() as NativeBackend);
  for (const [kernelName, kernel] of Object.entries(nativeKernels)) {
    if (tf.getKernel(kernelName, NAME)) tf.unregisterKernel(kernelName, NAME);
    tf.registerKernel({
      kernelName,
      backendName: NAME,
      // Disposes of what the kernel makes on its way.
      kernelFunc: ({ inputs, attrs }) =>
        tf.tidy(() => {
          const named = Object.fromEntries(
            Object.entries(inputs as unknown as Record<string, tf.TensorInfo>).map(([name, value]) => [
              name,
              { value, shape: value.shape, dtype: value.dtype },
            ]),
          );
          return kernel(ops, named, (attrs ?? {}) as Readonly<Record<string, unknown>>) as tf.Tensor;
        }),
    });
  }
}
