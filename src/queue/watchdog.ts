import { Worker } from 'node:worker_threads';

/** What the watchdog's thread is told. */
export interface WatchdogThreadData {
  /** One number, which the main thread counts up while it can. */
  readonly counter: Int32Array;
  readonly seconds: number;
}

const COUNT_MILLISECONDS = 1000;

/**
 * Ends this process, with SIGKILL, where a record keeps it from doing anything else for so many seconds: nothing that
 * runs in the main thread could. Keeps no process alive.
 */
export function startWatchdog(seconds: number): void {
  // As TypeScript, under a loader, this module has no compiled one beside it that a thread could run.
  if (import.meta.url.endsWith('.ts')) return;
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const workerData: WatchdogThreadData = { counter, seconds };
  new Worker(new URL('watchdog-thread.js', import.meta.url), { workerData, execArgv: [] }).unref();
  setInterval(() => {
    Atomics.add(counter, 0, 1);
    Atomics.notify(counter, 0);
  }, COUNT_MILLISECONDS).unref();
}
