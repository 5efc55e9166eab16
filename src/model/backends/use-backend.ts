import * as tf from '@tensorflow/tfjs-core';
import { OptionError, RelflowError } from '../../errors.js';
import { BACKENDS, type BackendName } from './backend-names.js';
import { compiledKernels } from './compiled-kernels.js';
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
  /**
   * Whether tensorflow may round the inputs of matrix products and convolutions to TF32 on NVIDIA GPUs that have it: faster,
   * with about three correct digits. Default false. Fixed by the first start, as are `threads` of tensorflow.
   */
  readonly tf32?: boolean;
}

/** The running backend. */
export interface Backend {
  readonly name: BackendName;
  /** Number of threads; 1 for cpu and webgpu. */
  readonly threads: number;
  /** Name of the GPU, e.g. `NVIDIA H100`; set for webgpu, and for tensorflow on a GPU. */
  readonly adapter?: string;
  /** Memory of the GPU in bytes; set for tensorflow on a GPU whose driver reports it. */
  readonly adapterMemory?: number;
  /** Whether products may be rounded to TF32; set for tensorflow on a GPU. */
  readonly tf32?: boolean;
  /** Whether kernels were compiled by `relflow doctor --build-kernels`; set for tensorflow on a processor. */
  readonly compiledKernels?: boolean;
}

let running: Promise<Backend> | undefined;
let requested: { readonly name: BackendName; readonly threads: number } | undefined;
/** Whether tensorflow is installed but failed to start, so that `auto` no longer selects it. */
let nativeFailed = false;

/**
 * Starts a backend, and registers relflow's gradients and the kernels that it lacks.
 *
 * A process has one backend at a time. A call that names the running backend and the same number of threads only registers
 * the gradients again, in case another import has replaced them.
 *
 * @param name `auto` selects tensorflow if its package is installed, otherwise wasm, which needs no native install; it also
 * selects wasm, with a warning, if the package is installed but its library cannot be loaded. webgpu runs only when it is
 * named
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
  if (!(running && requested?.name === wanted.name && requested.threads === wanted.threads)) {
    requested = wanted;
    running = (name === 'auto' ? startAutomatic(wanted.name, options) : start(wanted.name, options)).catch(
      (error: unknown) => {
        running = undefined;
        throw error;
      },
    );
  }
  return running.then((backend) => {
    registerGradients();
    return backend;
  });
}

const automaticBackend = (): BackendName => (nativePackage() === undefined || nativeFailed ? 'wasm' : 'tensorflow');

/** Starts a backend, and wasm instead of a tensorflow that is installed but cannot start. */
async function startAutomatic(name: BackendName, options: BackendOptions): Promise<Backend> {
  try {
    return await start(name, options);
  } catch (error) {
    if (!(name === 'tensorflow' && error instanceof RelflowError && error.code === 'no-backend')) throw error;
    nativeFailed = true;
    requested = { ...requested!, name: 'wasm' };
    process.emitWarning(`${error.message}; backend auto selects wasm`, 'RelflowWarning');
    return start('wasm', options);
  }
}

async function start(name: BackendName, { threads, tf32 = false }: BackendOptions): Promise<Backend> {
  // Outside of production, TensorFlow.js prints a greeting, and a warning for each kernel that a second package registers.
  tf.env().set('PROD', true);
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
    case 'tensorflow': {
      const library = await startNativeBackend({ threads, tf32 });
      const { gpu } = library;
      if (gpu === null) return { name, threads: library.threads, compiledKernels: compiledKernels() !== null };
      const memory = gpu.memory > 0 && { adapterMemory: gpu.memory };
      return { name, threads: library.threads, adapter: gpu.name, ...memory, tf32: library.tf32 };
    }
    case 'webgpu':
      return { name, threads: 1, adapter: (await startWebgpuBackend()).adapter };
  }
}
