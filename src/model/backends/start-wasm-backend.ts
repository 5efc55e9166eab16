import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';

const require = createRequire(import.meta.url);

/** Largest default number of threads; more do not make the backend faster. */
const MAX_THREADS = 8;

/** Returns the default number of threads: the number of processors, at most 8. */
export const defaultWasmThreads = (): number => Math.min(MAX_THREADS, availableParallelism());

/**
 * Starts the WebAssembly backend in this process, again if it runs with another number of threads.
 *
 * The package makes three wrong assumptions about Node: that it has no threads, that a worker can be created from a `blob:`
 * URL, and that half of the processors are hyper-threads. They are corrected while the backend starts.
 *
 * @throws RelflowError (`no-backend`) if it cannot start
 */
export async function startWasmBackend(threads: number): Promise<{ readonly threads: number }> {
  const wasm = require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm');
  const restore = threads > 1 ? patchThreads() : () => {};
  const removeNewListeners = trackListeners();
  try {
    removeWasmBackend();
    if (threads > 1) {
      tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true);
      wasm.setThreadsCount(threads);
    } else tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
    if (!(await tf.setBackend('wasm'))) throw new Error('tf.setBackend failed');
    await tf.ready();
  } catch (cause) {
    throw new RelflowError('no-backend', 'backend wasm: failed to start', {}, { cause });
  } finally {
    restore();
    removeNewListeners();
  }
  return { threads: threads > 1 ? wasm.getThreadsCount() : 1 };
}

/**
 * Returns a function that removes the listeners for uncaught errors added since this call. The backend's module adds some
 * that rethrow each error together with the module's whole source text.
 */
function trackListeners(): () => void {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set<unknown>(process.listeners(event as 'uncaughtException')));
  return () => {
    for (const [k, event] of events.entries())
      for (const listener of process.listeners(event as 'uncaughtException'))
        if (!before[k]!.has(listener)) process.removeListener(event, listener);
  };
}

/** Removes the wasm backend and all of its tensors, so that the next start creates one with another number of threads. */
function removeWasmBackend(): void {
  const { registryFactory } = tf.engine() as unknown as {
    registryFactory: Record<string, { factory: () => Promise<tf.KernelBackend>; priority: number }>;
  };
  const registered = registryFactory['wasm'];
  if (!registered || !tf.engine().registry['wasm']) return;
  tf.removeBackend('wasm');
  tf.registerBackend('wasm', registered.factory, registered.priority);
}

/** Replaces `Worker` and `os.cpus` so that the package can start threads on Node. @returns a function that restores both */
function patchThreads(): () => void {
  const workers = require('node:worker_threads') as typeof import('node:worker_threads');
  const os = require('node:os') as typeof import('node:os');
  const { Worker } = workers;
  const { cpus } = os;
  const folder = join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'wasm-out');
  const glue = join(folder, 'tfjs-backend-wasm-threaded-simd.js');
  const { wasmWorkerContents } = require(`${glue.slice(0, -'.js'.length)}.worker.js`) as { wasmWorkerContents: string };
  // The package stores the worker's source as a template literal, whose escaped line breaks became real ones inside strings.
  const source = wasmWorkerContents.replace(/\n/g, '\\n');
  workers.Worker = class extends Worker {
    constructor() {
      super(source, { eval: true });
      // A worker must not keep the process alive.
      super.unref();
    }
    override ref(): void {}
    override postMessage(message: unknown, transfer?: readonly import('node:worker_threads').Transferable[]): void {
      const load = (message as { cmd?: string } | null)?.cmd === 'load';
      super.postMessage(load ? { ...(message as object), urlOrBlob: glue } : message, transfer);
    }
  };
  os.cpus = () => {
    const all = cpus();
    return Array.from({ length: 2 * Math.max(all.length, MAX_THREADS) }, (_, k) => all[k % all.length]!);
  };
  return () => {
    workers.Worker = Worker;
    os.cpus = cpus;
  };
}
