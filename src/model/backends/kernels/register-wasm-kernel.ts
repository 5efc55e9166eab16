import * as tf from '@tensorflow/tfjs-core';

/** Inputs and attributes of a kernel call, by name. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Computes a kernel's outputs. */
export type KernelFunction = (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[];

/** Kernels of the wasm package that `registerWasmKernel` has replaced, by name. */
const stockKernels = new Map<string, tf.KernelConfig>();

/**
 * Returns the kernel that the wasm package itself registers, set up for the backend. Call it before `registerWasmKernel`
 * replaces the kernel. When the backend is started again, tfjs knows only the replacement, so the first one is kept.
 */
export function stockWasmKernel(kernelName: string, backend: tf.KernelBackend): tf.KernelFunc {
  const kernel = stockKernels.get(kernelName) ?? tf.getKernel(kernelName, 'wasm')!;
  stockKernels.set(kernelName, kernel);
  kernel.setupFunc?.(backend);
  return kernel.kernelFunc;
}

/** Registers a kernel of the wasm backend, replacing one of the same name. */
export function registerWasmKernel(kernelName: string, run: KernelFunction): void {
  if (tf.getKernel(kernelName, 'wasm')) tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) =>
      run({
        inputs: inputs as unknown as KernelCall['inputs'],
        attributes: (attrs ?? {}) as unknown as KernelCall['attributes'],
      }),
  });
}
