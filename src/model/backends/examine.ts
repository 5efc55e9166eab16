import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { BackendName } from './backend-names.js';
import { useBackend } from './use-backend.js';

/** What a backend can do on this machine. */
export interface BackendReport {
  readonly name: BackendName;
  readonly threads: number;
  /** Vector instructions, of the wasm backend alone. */
  readonly simd?: boolean;
  /** Milliseconds that a product of two matrices of `size` takes, the least of some. */
  readonly milliseconds: number;
  readonly size: number;
  /** Billions of floating-point operations a second in it. */
  readonly gigaflops: number;
}

/** What the machine has, and what each backend makes of it. */
export interface Examination {
  readonly node: string;
  readonly processor: string;
  readonly processors: number;
  /** Bytes. */
  readonly memory: { readonly total: number; readonly free: number };
  readonly backends: readonly BackendReport[];
}

/**
 * Starts each backend that comes with relflow and measures it shortly. The last one that was started stays.
 * @param threads of the wasm backend
 */
export async function examine(threads?: number): Promise<Examination> {
  const backends: BackendReport[] = [];
  for (const [name, size] of [
    ['cpu', 256],
    ['wasm', 1024],
  ] as const) {
    const backend = await useBackend(name, threads === undefined ? {} : { threads });
    const milliseconds = await measure(size);
    backends.push({
      name,
      threads: backend.threads,
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
  };
}

async function measure(size: number): Promise<number> {
  const [a, b] = [tf.ones([size, size]), tf.ones([size, size])];
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    const product = tf.matMul(a, b);
    await product.data();
    least = Math.min(least, performance.now() - start);
    product.dispose();
  }
  tf.dispose([a, b]);
  return least;
}
