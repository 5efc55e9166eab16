import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { installNativeKernels } from './install-native-kernels.js';

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

/**
 * Starts the TensorFlow C library in this process. The first start fixes the number of threads.
 * @param threads number of threads; undefined leaves the choice to TensorFlow
 * @throws RelflowError (`no-backend`) if the package is not installed or its library cannot be loaded
 */
export async function startNativeBackend(threads: number | undefined): Promise<{ readonly threads: number }> {
  const name = nativePackage();
  if (name === undefined)
    throw new RelflowError(
      'no-backend',
      'backend tensorflow: install @tensorflow/tfjs-node or @tensorflow/tfjs-node-gpu next to relflow, see docs/backends.md',
    );
  // The library reads these variables once, while it loads.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  if (threads !== undefined) process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads);
  try {
    await import(name as string);
    if (!(await tf.setBackend('tensorflow'))) throw new Error('tf.setBackend failed');
    await tf.ready();
    if (name === '@tensorflow/tfjs-node') installNativeKernels();
  } catch (cause) {
    throw new RelflowError(
      'no-backend',
      `backend tensorflow: ${name} is installed but its library cannot be loaded, see docs/backends.md`,
      {},
      { cause },
    );
  }
  return { threads: Number(process.env['TF_NUM_INTRAOP_THREADS'] ?? availableParallelism()) };
}
