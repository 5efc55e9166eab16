import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';

/** Counts the threads that start while `work` runs, and those that are still running afterwards. */
export async function countThreads<T>(work: () => Promise<T>): Promise<{ result: T; started: number; left: number }> {
  const all: Worker[] = [];
  let ended = 0;
  const started = (message: unknown) => {
    const { worker } = message as { worker: Worker };
    all.push(worker);
    worker.once('exit', () => ended++);
  };
  subscribe('worker_threads', started);
  try {
    const result = await work();
    return { result, started: all.length, left: all.length - ended };
  } finally {
    unsubscribe('worker_threads', started);
  }
}
