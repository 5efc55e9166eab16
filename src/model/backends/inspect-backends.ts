import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { RelflowError } from '../../errors.js';
import type { BackendName } from './backend-names.js';
import { compiledKernels } from './compiled-kernels.js';
import { kernelAdvice, nativeAdvice } from './native-advice.js';
import { nvidiaGpus } from './nvidia-gpus.js';
import { nativePackage } from './start-native-backend.js';
import { missingWebgpuPackages } from './start-webgpu-backend.js';
import { type Backend, useBackend } from './use-backend.js';

/** Measured speed of a backend on this machine. */
export interface BackendReport {
  readonly name: BackendName;
  readonly threads: number;
  /** Name of the GPU; set for webgpu, and for tensorflow on a GPU. */
  readonly adapter?: string;
  /** Memory of the GPU in bytes; set for tensorflow on a GPU whose driver reports it. */
  readonly adapterMemory?: number;
  /** Whether products may be rounded to TF32; set for tensorflow on a GPU. */
  readonly tf32?: boolean;
  /** Where the backend computes, and what to do if it does not use a GPU; set for tensorflow only. */
  readonly advice?: string;
  /** Whether kernels were compiled by `relflow doctor --build-kernels`; set for tensorflow on a processor. */
  readonly compiledKernels?: boolean;
  /** Which kernels were compiled, or what to do if none were; set for tensorflow on a processor. */
  readonly kernels?: string;
  /** Whether vector instructions are used; set for wasm only. */
  readonly simd?: boolean;
  /** Time of a product of two `[size, size]` matrices in milliseconds, the minimum over up to 5 repetitions. */
  readonly milliseconds: number;
  /** Rows and columns of the matrices. */
  readonly size: number;
  /** Speed of that product, in 10⁹ floating-point operations per second. */
  readonly gigaflops: number;
}

/** Hardware of this machine, and the backends that run on it. */
export interface MachineReport {
  /** Version of Node, e.g. `v20.18.1`. */
  readonly node: string;
  /** Model name of the processor. */
  readonly processor: string;
  /** Number of logical processors that this process may use. */
  readonly processors: number;
  /** In bytes. */
  readonly memory: { readonly total: number; readonly free: number };
  readonly backends: readonly BackendReport[];
  /** Backends that cannot run here, each with the reason and the remedy. */
  readonly missing: readonly { readonly name: BackendName; readonly advice: string }[];
}

/**
 * Starts each installed backend, times a matrix product on it, and leaves wasm running.
 * @param threads number of threads of the wasm backend, from 1 to 64; as in `useBackend` if omitted
 * @throws OptionError if `threads` is out of range
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
      missing.push({
        name,
        advice:
          'is not installed: run npm install @tensorflow/tfjs-node@4.22.0 next to relflow, or @tensorflow/tfjs-node-gpu@4.22.0 on a machine with an NVIDIA GPU, see docs/backends.md',
      });
      continue;
    }
    if (name === 'webgpu' && missingWebgpuPackages().length > 0) {
      const packages = missingWebgpuPackages().join(' and ');
      missing.push({ name, advice: `is not installed: missing ${packages}, see docs/backends.md` });
      continue;
    }
    const backend = await useBackend(name, threads === undefined ? {} : { threads }).catch((error: RelflowError) => {
      missing.push({ name, advice: error.message.replace(/^backend \w+: /, 'cannot run: ') });
    });
    if (!backend) continue;
    const milliseconds = await timeMatrixProduct(size);
    backends.push({
      ...backend,
      ...(name === 'tensorflow' && { advice: adviceFor(backend) }),
      ...(name === 'tensorflow' &&
        backend.compiledKernels !== undefined && { kernels: kernelAdvice(compiledKernels()) }),
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

function adviceFor({ adapter, tf32 = false }: Backend): string {
  const gpus = nvidiaGpus();
  const gpu = adapter === undefined ? null : (gpus[0] ?? { name: adapter, memory: 0, driver: 'unknown' });
  return nativeAdvice({ package: nativePackage()!, gpu, tf32, gpus });
}

async function timeMatrixProduct(size: number): Promise<number> {
  const [a, b] = [tf.ones([size, size]), tf.ones([size, size])];
  let fastest = Number.POSITIVE_INFINITY;
  const start = performance.now();
  // A GPU emulated in software takes seconds per product.
  for (let round = 0; round < 5 && performance.now() - start < 2000; round++) {
    const roundStart = performance.now();
    const product = tf.matMul(a, b);
    await product.data();
    fastest = Math.min(fastest, performance.now() - roundStart);
    product.dispose();
  }
  tf.dispose([a, b]);
  return fastest;
}
