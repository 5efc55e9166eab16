import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { RelflowError } from '../../errors.js';
import type { BackendName } from './backend-names.js';
import { nativePackage } from './start-native-backend.js';
import { missingWebgpuPackages } from './start-webgpu-backend.js';
import { useBackend } from './use-backend.js';

/** What a backend can do on this machine. */
export interface BackendReport {
  readonly name: BackendName;
  readonly threads: number;
  /** What the webgpu backend runs on. */
  readonly adapter?: string;
  /** Vector instructions, of the wasm backend alone. */
  readonly simd?: boolean;
  /** Milliseconds that a product of two matrices of `size` takes, the least of some. */
  readonly milliseconds: number;
  readonly size: number;
  /** Billions of floating-point operations a second in it. */
  readonly gigaflops: number;
}

/** What the machine has, and what each backend makes of it. */
export interface MachineReport {
  readonly node: string;
  readonly processor: string;
  readonly processors: number;
  /** Bytes. */
  readonly memory: { readonly total: number; readonly free: number };
  readonly backends: readonly BackendReport[];
  /** Backends that can't run here, and what would help. */
  readonly missing: readonly { readonly name: BackendName; readonly advice: string }[];
}

/**
 * Starts each backend that is there and measures it shortly. The last one that was started, wasm, stays.
 * @param threads of the wasm backend
 */
export async function inspectBackends(threads?: number): Promise<MachineReport> {
  const backends: BackendReport[] = [];
  const missing: MachineReport['missing'][number][] = [];
  for (const [name, size] of [
    ['cpu', 256],
    ['tensorflow', 1024],
    ['webgpu', 1024],
    ['wasm', 1024],
  ] as const) {
    if (name === 'tensorflow' && nativePackage() === undefined) {
      missing.push({ name, advice: 'is not installed: docs/backends.md says how, and what it is worth' });
      continue;
    }
    if (name === 'webgpu' && missingWebgpuPackages().length > 0) {
      const packages = missingWebgpuPackages().join(' and ');
      missing.push({ name, advice: `is not installed, ${packages} is not here: docs/backends.md says how` });
      continue;
    }
    const backend = await useBackend(name, threads === undefined ? {} : { threads }).catch((error: RelflowError) => {
      missing.push({ name, advice: error.message.replace(/^backend \w+: /, 'can not run: ') });
    });
    if (!backend) continue;
    const milliseconds = await timeMatrixProduct(size);
    backends.push({
      name,
      threads: backend.threads,
      ...(backend.adapter !== undefined && { adapter: backend.adapter }),
      ...(name === 'wasm' && { simd: (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) as boolean }),
      milliseconds,
      size,
      gigaflops: (2 * size ** 3) / milliseconds / 1e6,
    });
  }
  return {
    node: process.version,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
    memory: { total: totalmem(), free: freemem() },
    backends,
    missing,
  };
}

async function timeMatrixProduct(size: number): Promise<number> {
  const [a, b] = [tf.ones([size, size]), tf.ones([size, size])];
  let least = Number.POSITIVE_INFINITY;
  const begin = performance.now();
  // A GPU in software takes seconds for one.
  for (let round = 0; round < 5 && performance.now() - begin < 2000; round++) {
    const start = performance.now();
    const product = tf.matMul(a, b);
    await product.data();
    least = Math.min(least, performance.now() - start);
    product.dispose();
  }
  tf.dispose([a, b]);
  return least;
}
