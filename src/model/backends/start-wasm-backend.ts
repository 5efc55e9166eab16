import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { createWasmModule, threadedModuleScript } from './create-wasm-module.js';
import { recordWasmMessage, takeWasmMessage } from './wasm-failures.js';

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
    if (threads > 1) wasm.setThreadsCount(threads);
    replaceWasmBackend(async () => new wasm.BackendWasm(await createWasmModule(threads, recordWasmMessage)));
    if (!(await tf.setBackend('wasm'))) throw new Error('tf.setBackend failed');
    await tf.ready();
  } catch (cause) {
    const printed = takeWasmMessage();
    throw new RelflowError(
      'no-backend',
      `backend wasm: failed to start${printed === undefined ? '' : `: ${printed}`}`,
      {},
      { cause },
    );
  } finally {
    takeWasmMessage();
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

/** Removes the wasm backend, if there is one, with all of its tensors, and registers another. */
function replaceWasmBackend(factory: () => Promise<tf.KernelBackend>): void {
  if ('wasm' in tf.engine().registryFactory) tf.removeBackend('wasm');
  tf.registerBackend('wasm', factory);
}

/** Replaces `Worker` and `os.cpus` so that the package can start threads on Node. @returns a function that restores both */
function patchThreads(): () => void {
  const workers = require('node:worker_threads') as typeof import('node:worker_threads');
  const os = require('node:os') as typeof import('node:os');
  const { Worker } = workers;
  const { cpus } = os;
  const contents = `${threadedModuleScript().slice(0, -'.js'.length)}.worker.js`;
  const { wasmWorkerContents } = require(contents) as { wasmWorkerContents: string };
  // The package stores the worker's source as a template literal, whose escaped line breaks became real ones inside strings.
  const source = wasmWorkerContents.replace(/\n/g, '\\n');
  workers.Worker = class extends Worker {
    constructor() {
      super(source, { eval: true });
      // A worker must not keep the process alive.
      super.unref();
    }
    override ref(): void {}
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
