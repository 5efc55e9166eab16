import { Worker } from 'node:worker_threads';

/** Data that the watchdog's thread receives. */
export interface WatchdogThreadData {
  /** One number that the main thread increments about once a second. */
  readonly counter: Int32Array;
  readonly seconds: number;
}

const COUNT_MILLISECONDS = 1000;

/**
 * Starts a thread that kills this process with SIGKILL when a record blocks the main thread for a number of seconds;
 * nothing in the main thread itself could do so. The thread does not keep the process alive.
 *
 * @example
 * ```ts
 * import { startWatchdog } from 'relflow/queue';
 *
 * startWatchdog(900);
 * ```
 */
export function startWatchdog(seconds: number): void {
  // When TypeScript runs under a loader, no compiled module exists for a thread to run.
  if (import.meta.url.endsWith('.ts')) return;
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const workerData: WatchdogThreadData = { counter, seconds };
  new Worker(new URL('watchdog-thread.js', import.meta.url), { workerData, execArgv: [] }).unref();
  setInterval(() => {
    Atomics.add(counter, 0, 1);
    Atomics.notify(counter, 0);
  }, COUNT_MILLISECONDS).unref();
}
