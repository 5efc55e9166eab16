import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { loadCompiledKernels } from './compiled-kernels.js';
import { installNativeKernels } from './install-native-kernels.js';
import { compiledDeformableAttention } from './kernels/compiled-deformable-attention.js';
import { nativeKernels } from './kernels/native-kernels.js';
import { type NativeBackend, registerNativeKernels } from './kernels/register-native-kernels.js';
import { type NvidiaGpu, nvidiaGpus } from './nvidia-gpus.js';

const require = createRequire(import.meta.url);

/** Optional packages that contain the TensorFlow C library, in order of preference. */
const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** Returns the installed package that contains the TensorFlow C library, or undefined if there is none. */
export function nativePackage(): (typeof PACKAGES)[number] | undefined {
  return PACKAGES.find((name) => {
    try {
      require.resolve(name);
      return true;
    } catch {
      return false;
    }
  });
}

/** The running TensorFlow C library. */
export interface NativeLibrary {
  readonly threads: number;
  /** The GPU that it computes on; null on the processor. */
  readonly gpu: NvidiaGpu | null;
  /** Whether matrix products and convolutions on a GPU may round their inputs to TF32. */
  readonly tf32: boolean;
}

/** Options of `startNativeBackend`. */
export interface NativeOptions {
  /** Number of threads; undefined leaves the choice to TensorFlow. */
  readonly threads: number | undefined;
  /** Whether a GPU may round the inputs of products to TF32, which has 10 bits of fraction. */
  readonly tf32: boolean;
}

/**
 * Starts the TensorFlow C library in this process. The first start fixes the options.
 * @throws RelflowError (`no-backend`) if the package is not installed or its library cannot be loaded
 */
export async function startNativeBackend({ threads, tf32 }: NativeOptions): Promise<NativeLibrary> {
  const name = nativePackage();
  if (name === undefined)
    throw new RelflowError(
      'no-backend',
      'backend tensorflow: install @tensorflow/tfjs-node or @tensorflow/tfjs-node-gpu next to relflow, see docs/backends.md',
    );
  // The libraries read these variables once, while they load.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  if (threads !== undefined) process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads);
  if (!tf32) process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';
  restoreNodeFunctions();
  try {
    // CommonJS: unlike `import`, it finds packages in the folders of NODE_PATH too.
    require(name);
    if (!(await tf.setBackend('tensorflow'))) throw new Error('tf.setBackend failed');
    await tf.ready();
  } catch (cause) {
    const [reason] = ((cause as Error).message ?? '').split('\n');
    throw new RelflowError(
      'no-backend',
      `backend tensorflow: ${name} is installed but its library cannot be loaded (${reason?.trim()}); run its install script or build it, see docs/backends.md`,
      {},
      { cause },
    );
  }
  const { isUsingGpuDevice, binding } = tf.backend() as NativeBackend;
  registerNativeKernels(nativeKernels);
  if (!isUsingGpuDevice) {
    if (loadCompiledKernels(binding.TF_Version)) registerNativeKernels(compiledDeformableAttention);
    else installNativeKernels();
  }
  return {
    threads: Number(process.env['TF_NUM_INTRAOP_THREADS'] ?? availableParallelism()),
    gpu: isUsingGpuDevice ? (nvidiaGpus()[0] ?? UNKNOWN_GPU) : null,
    tf32: process.env['NVIDIA_TF32_OVERRIDE'] !== '0',
  };
}

/** A GPU that TensorFlow found although the driver's tool is missing. */
const UNKNOWN_GPU: NvidiaGpu = { name: 'unnamed GPU', memory: 0, driver: 'unknown' };

/** Restores two functions of `node:util` that tfjs-node calls and Node 23 removed. */
function restoreNodeFunctions(): void {
  const util = require('node:util') as Record<string, unknown>;
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}
