import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { installNativeKernels } from './install-native-kernels.js';

const require = createRequire(import.meta.url);

/** Packages that hold TensorFlow's own library; users install one of them where they want it. */
const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** Which of them is installed; undefined where none is. */
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
 * Starts TensorFlow's own library in this process. Threads are settled by the first start.
 * @param threads undefined for TensorFlow's own choice
 * @throws RelflowError (`no-backend`) where the package is not installed, or its library can't be loaded
 */
export async function startNativeBackend(threads: number | undefined): Promise<{ readonly threads: number }> {
  const name = nativePackage();
  if (name === undefined)
    throw new RelflowError(
      'no-backend',
      'backend tensorflow: needs @tensorflow/tfjs-node or @tensorflow/tfjs-node-gpu beside relflow, see docs/backends.md',
    );
  // Read once by the library, while it loads.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  if (threads !== undefined) process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads);
  // The package registers the cpu backend once more, and would warn of each of its kernels.
  const quiet = tf.env().getBool('PROD');
  tf.env().set('PROD', true);
  try {
    await import(name as string);
    if (!(await tf.setBackend('tensorflow'))) throw new Error('the backend refused to start');
    await tf.ready();
    if (name === '@tensorflow/tfjs-node') installNativeKernels();
  } catch (cause) {
    throw new RelflowError(
      'no-backend',
      `backend tensorflow: ${name} is there but its library can not be loaded, see docs/backends.md`,
      {},
      { cause },
    );
  } finally {
    tf.env().set('PROD', quiet);
  }
  return { threads: Number(process.env['TF_NUM_INTRAOP_THREADS'] ?? availableParallelism()) };
}
