import { hostname } from 'node:os';
import { Worker } from 'bullmq';
import { OptionError } from '../errors.js';
import type { Lane } from '../operators/operator.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import { JobProcessor } from './job-processor.js';
import { checkServer, type QueueServer } from './queue-server.js';
import { LANES, PREFIX, type RunJob, type ShardJob } from './queues.js';
import type { WorkerOptions } from './worker-options.js';

/** A worker at work. */
export interface RunningWorker {
  readonly lanes: readonly Lane[];
  /** Takes no more jobs and resolves when those in work are done. What reads sources is put back into the queue. */
  stop(): Promise<void>;
  /** Ends at once; what is in work is done by others. */
  kill(): Promise<void>;
}

/** Beyond 24 days timers end at once. */
const MAX_TIMEOUT_SECONDS = 1_000_000;
/** A job whose worker was lost so often is given up. */
const MAX_STALLED = 20;

/**
 * Does jobs of runs that `submit` put into the queues, until it is stopped. Waits for a server that goes away.
 *
 * @throws RelflowError `bad-queue` where the server can't be reached at the start
 */
export async function startWorker(server: QueueServer, options: WorkerOptions): Promise<RunningWorker> {
  const { lanes = LANES, jobs = 1, heartbeatSeconds = 30, recordTimeoutSeconds, onEvent = () => {} } = options;
  checkPositiveInteger('worker', 'jobs', jobs);
  checkPositiveInteger('worker', 'heartbeatSeconds', heartbeatSeconds);
  if (recordTimeoutSeconds !== undefined) checkPositiveInteger('worker', 'recordTimeoutSeconds', recordTimeoutSeconds);
  if ((recordTimeoutSeconds ?? 0) > MAX_TIMEOUT_SECONDS) {
    throw new OptionError(
      'worker',
      `recordTimeoutSeconds is ${recordTimeoutSeconds}, expected at most ${MAX_TIMEOUT_SECONDS}`,
    );
  }
  const unknown = lanes.find((lane) => !LANES.includes(lane));
  if (lanes.length === 0 || unknown !== undefined) {
    throw new OptionError('worker', `unknown lane '${unknown ?? ''}', expected some of ${LANES.join(', ')}`);
  }
  await checkServer(server);
  const running = new JobProcessor(server, { ...options, onEvent });
  const lockDuration = heartbeatSeconds * 1000;
  const workers = lanes.map((lane) => {
    const worker = new Worker<RunJob | ShardJob>(lane, (job, token) => running.process(lane, job, token), {
      connection: server.options,
      prefix: PREFIX,
      name: `${hostname()}-${process.pid}`,
      concurrency: jobs,
      lockDuration,
      stalledInterval: lockDuration,
      maxStalledCount: MAX_STALLED,
    });
    worker.on('failed', (job, error) => {
      onEvent({ event: 'failed', job: `${lane} ${job?.id}`, attempt: job?.attemptsMade ?? 0, reason: error.message });
    });
    worker.on('error', (error) => onEvent({ event: 'queue-error', reason: error.message }));
    return worker;
  });
  const close = async (force: boolean) => {
    running.stop(force);
    await Promise.all(workers.map((worker) => worker.close(force)));
    await running.close();
  };
  return { lanes, stop: () => close(false), kill: () => close(true) };
}
