import { parentPort, workerData } from 'node:worker_threads';
import type { Files } from './reader.js';
import { makeInput, readerOf, tryInput } from './readers.js';

/** Work of a thread: inputs of one reader, from a position until the thread is stopped; or one input. */
export interface FuzzWork {
  readonly reader: string;
  readonly folder: string;
  readonly seed: number;
  readonly first: number;
  readonly files?: Files;
  /** The position of the input that is being read, and the number of refused inputs. */
  readonly progress: Int32Array;
}

/** What a thread reports: the problem with an input, or null for the one input that was asked for. */
export interface FuzzReport {
  readonly n: number;
  readonly problem: string | null;
}

const { reader: name, folder, seed, first, files, progress } = workerData as FuzzWork;
const reader = readerOf(name);
const report = (sent: FuzzReport) => parentPort!.postMessage(sent);

if (files) {
  Atomics.store(progress, 0, first);
  const copied = Object.fromEntries(Object.entries(files).map(([key, bytes]) => [key, Buffer.from(bytes)]));
  report({ n: first, problem: (await tryInput(reader, folder, copied)).problem });
} else {
  for (let n = first; ; n++) {
    // Some readers prepare their first input for seconds.
    const made = await makeInput(reader, seed, n);
    Atomics.store(progress, 0, n);
    const { refused, problem } = await tryInput(reader, folder, made);
    if (refused) Atomics.add(progress, 1, 1);
    if (problem !== null) report({ n, problem });
  }
}
