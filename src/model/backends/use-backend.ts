import * as tf from '@tensorflow/tfjs-core';
import { OptionError, RelflowError } from '../../errors.js';
import { BACKENDS, type BackendName } from './backend-names.js';
import { installWasmKernels } from './install-wasm-kernels.js';
import { registerGradients } from './register-gradients.js';
import { nativePackage, startNativeBackend } from './start-native-backend.js';
import { defaultWasmThreads, startWasmBackend } from './start-wasm-backend.js';
import { startWebgpuBackend } from './start-webgpu-backend.js';

/** Options of `useBackend`. */
export interface BackendOptions {
  /**
   * Number of threads of the wasm and tensorflow backends, from 1 to 64. Default for wasm: the number of processors, at most
   * 8; TensorFlow chooses its own default.
   */
  readonly threads?: number;
}

/** The running backend. */
export interface Backend {
  readonly name: BackendName;
  /** Number of threads; 1 for cpu and webgpu. */
  readonly threads: number;
  /** Name of the GPU adapter, e.g. `NVIDIA H100`; set for webgpu only. */
  readonly adapter?: string;
}

let running: Promise<Backend> | undefined;
let requested: { readonly name: BackendName; readonly threads: number } | undefined;

/**
 * Starts a backend, and registers gradients and the kernels that it lacks.
 *
 * A process has one backend at a time. A call that names the running backend and the same number of threads returns at once.
 *
 * @param name `auto` selects tensorflow if its package is installed, otherwise wasm, which needs no native install; webgpu
 * runs only when it is named
 * @throws OptionError if the name is unknown or `threads` is not a whole number from 1 to 64
 * @throws RelflowError (`no-backend`) if the backend cannot start on this machine
 *
 * @example
 * ```ts
 * import { useBackend } from 'relflow/model';
 *
 * const backend = await useBackend('wasm', { threads: 4 });
 * console.log(`${backend.name}, ${backend.threads} threads`);
 * ```
 */
export function useBackend(name: BackendName | 'auto' = 'auto', options: BackendOptions = {}): Promise<Backend> {
  if (name !== 'auto' && !BACKENDS.includes(name))
    throw new OptionError('backend', `unknown backend '${name}', expected auto, ${BACKENDS.join(', ')}`);
  const threads = options.threads ?? defaultWasmThreads();
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
  // Outside of production, TensorFlow.js prints a greeting, and a warning for each kernel that a second package registers.
  tf.env().set('PROD', true);
  registerGradients();
  switch (name) {
    case 'wasm': {
      const started = await startWasmBackend(threads ?? defaultWasmThreads());
      installWasmKernels(started.threads);
      return { name, threads: started.threads };
    }
    case 'cpu':
      await import('@tensorflow/tfjs-backend-cpu');
      if (!(await tf.setBackend('cpu'))) throw new RelflowError('no-backend', 'backend cpu: failed to start');
      return { name, threads: 1 };
    case 'tensorflow':
      return { name, threads: (await startNativeBackend(threads)).threads };
    case 'webgpu':
      return { name, threads: 1, adapter: (await startWebgpuBackend()).adapter };
  }
}
