import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';

const require = createRequire(import.meta.url);

/** Threads that the backend is given where nobody asks for a number: more do not help it. */
const MAX_THREADS = 8;

export const defaultThreads = (): number => Math.min(MAX_THREADS, availableParallelism());

/**
 * Starts the WebAssembly backend in this process. How many threads it has is settled with the first call.
 *
 * Three things that the package assumes of Node are wrong: that it has no threads, that its workers can be made of a
 * `blob:` address, and that half of the processors are hyper-threads. They are set right while the backend starts.
 *
 * @throws RelflowError (`no-backend`) where it can't start
 */
export async function startWasmBackend(threads: number): Promise<{ readonly threads: number }> {
  const wasm = require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm');
  const restore = threads > 1 ? patchThreads() : () => {};
  const keepListeners = trackListeners();
  try {
    removeWasmBackend();
    if (threads > 1) {
      tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true);
      wasm.setThreadsCount(threads);
    } else tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
    if (!(await tf.setBackend('wasm'))) throw new Error('the backend refused to start');
    await tf.ready();
  } catch (cause) {
    throw new RelflowError('no-backend', 'backend wasm: could not be started', {}, { cause });
  } finally {
    restore();
    keepListeners();
  }
  return { threads: threads > 1 ? wasm.getThreadsCount() : 1 };
}

/**
 * The module of the backend listens to the process's uncaught errors, only to throw them again with all of its source
 * text. They are the process's own matter.
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

/** A backend that runs with another number of threads is ended, with all of its tensors; the next start makes a new one. */
function removeWasmBackend(): void {
  const { registryFactory } = tf.engine() as unknown as {
    registryFactory: Record<string, { factory: () => Promise<tf.KernelBackend>; priority: number }>;
  };
  const made = registryFactory['wasm'];
  if (!made || !tf.engine().registry['wasm']) return;
  tf.removeBackend('wasm');
  tf.registerBackend('wasm', made.factory, made.priority);
}

function patchThreads(): () => void {
  const workers = require('node:worker_threads') as typeof import('node:worker_threads');
  const os = require('node:os') as typeof import('node:os');
  const { Worker } = workers;
  const { cpus } = os;
  const folder = join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'wasm-out');
  const glue = join(folder, 'tfjs-backend-wasm-threaded-simd.js');
  const { wasmWorkerContents } = require(`${glue.slice(0, -'.js'.length)}.worker.js`) as { wasmWorkerContents: string };
  // The package keeps the worker's source in a template, whose line breaks stand inside of strings.
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
