// Kills the process when its main thread stops counting, see `startWatchdog`.
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import type { WatchdogThreadData } from './watchdog.js';

/** Extra time, so that a process that was suspended with its machine can count again. */
const GRACE_MILLISECONDS = 2000;

const { counter, seconds } = workerData as WatchdogThreadData;
const hasCounted = (milliseconds: number) =>
  Atomics.wait(counter, 0, Atomics.load(counter, 0), milliseconds) !== 'timed-out';
while (hasCounted(seconds * 1000) || hasCounted(GRACE_MILLISECONDS));
writeSync(
  2,
  `relflow: a record has blocked this process for ${seconds} s; the process ends, and other workers process its shards\n`,
);
process.kill(process.pid, 'SIGKILL');
