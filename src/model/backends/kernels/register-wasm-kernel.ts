import * as tf from '@tensorflow/tfjs-core';

/** What a kernel is given; inputs by name. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export type KernelFunction = (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[];

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
