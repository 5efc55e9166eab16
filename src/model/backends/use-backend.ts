import * as tf from '@tensorflow/tfjs-core';
import { OptionError, RelflowError } from '../../errors.js';
import { BACKENDS, type BackendName } from './backend-names.js';
import { installWasmKernels } from './install-wasm-kernels.js';
import { registerGradients } from './register-gradients.js';
import { nativePackage, startNativeBackend } from './start-native-backend.js';
import { defaultThreads, startWasmBackend } from './start-wasm-backend.js';
import { startWebgpuBackend } from './start-webgpu-backend.js';

export interface BackendOptions {
  /** Threads of the wasm backend; as many as there are processors, at most 8, by default. TensorFlow's are its own choice by default. */
  readonly threads?: number;
}

/** The backend that runs. */
export interface Backend {
  readonly name: BackendName;
  /** 1 where the backend has none of its own, or does not say. */
  readonly threads: number;
  /** What the webgpu backend runs on, e.g. `NVIDIA H100`. */
  readonly adapter?: string;
}

let running: Promise<Backend> | undefined;
let requested: { readonly name: BackendName; readonly threads: number } | undefined;

/**
 * Starts a backend and makes it whole: gradients are registered, and what kernels it lacks. `auto` is TensorFlow's own
 * library where its package is installed, else wasm, which needs no native install; webgpu runs where it is named.
 *
 * A process has one backend at a time. Asking for the one that runs costs nothing.
 *
 * @throws OptionError where no backend has this name, or the number of threads is none
 * @throws RelflowError (`no-backend`) where it can't start here
 */
export function useBackend(name: BackendName | 'auto' = 'auto', options: BackendOptions = {}): Promise<Backend> {
  if (name !== 'auto' && !BACKENDS.includes(name))
    throw new OptionError('backend', `unknown backend '${name}', expected auto, ${BACKENDS.join(', ')}`);
  const threads = options.threads ?? defaultThreads();
  if (!Number.isSafeInteger(threads) || threads < 1 || threads > 64)
    throw new OptionError('backend', `threads ${threads}, expected a whole number from 1 to 64`);
  const wanted = { name: name === 'auto' ? automaticBackend() : name, threads } as const;
  if (running && requested?.name === wanted.name && requested.threads === wanted.threads) return running;
  requested = wanted;
  running = start(wanted.name, options.threads).catch((error: unknown) => {
    running = undefined;
    throw error;
  });
  return running;
}

const automaticBackend = (): BackendName => (nativePackage() === undefined ? 'wasm' : 'tensorflow');

async function start(name: BackendName, threads: number | undefined): Promise<Backend> {
  registerGradients();
  switch (name) {
    case 'wasm': {
      const started = await startWasmBackend(threads ?? defaultThreads());
      installWasmKernels(started.threads);
      return { name, threads: started.threads };
    }
    case 'cpu':
      await import('@tensorflow/tfjs-backend-cpu');
      if (!(await tf.setBackend('cpu'))) throw new RelflowError('no-backend', 'backend cpu: could not be started');
      return { name, threads: 1 };
    case 'tensorflow':
      return { name, threads: (await startNativeBackend(threads)).threads };
    case 'webgpu':
      return { name, threads: 1, adapter: (await startWebgpuBackend()).adapter };
  }
}
