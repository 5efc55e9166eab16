// Ends the process when its main thread no longer counts, see `startWatchdog`.
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import type { WatchdogThreadData } from './watchdog.js';

/** A process that was halted by others, or a machine that slept, is given time to move. */
const GRACE_MILLISECONDS = 2000;

const { counter, seconds } = workerData as WatchdogThreadData;
const hasMoved = (milliseconds: number) =>
  Atomics.wait(counter, 0, Atomics.load(counter, 0), milliseconds) !== 'timed-out';
while (hasMoved(seconds * 1000) || hasMoved(GRACE_MILLISECONDS));
writeSync(2, `relflow: a record has held this process up for ${seconds} s: it ends, and others do its shards\n`);
process.kill(process.pid, 'SIGKILL');
