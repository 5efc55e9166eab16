import * as tf from '@tensorflow/tfjs-core';

/** What a kernel is given; inputs by name. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export type KernelFunction = (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[];

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

/** Registers a kernel of the wasm backend, in place of the one that is there. */
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
