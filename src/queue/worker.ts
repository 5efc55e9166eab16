import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { OptionError } from '../errors.js';
import type { Lane } from '../operators/operator.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import { JobProcessor } from './job-processor.js';
import type { RunJob, ShardJob } from './jobs.js';
import { Worker } from './queue-packages.js';
import { checkServer, type QueueServer } from './queue-server.js';
import { LANES, PREFIX } from './queues.js';
import type { WorkerOptions } from './worker-options.js';

/** Worker that is running. */
export interface RunningWorker {
  readonly lanes: readonly Lane[];
  /** Takes no more jobs and resolves when the running ones are done. A job that reads sources goes back to its queue. */
  stop(): Promise<void>;
  /** Stops at once; other workers process the running jobs again. */
  kill(): Promise<void>;
}

/** Timers of more than 24 days fire at once. */
const MAX_TIMEOUT_SECONDS = 1_000_000;
/** A job fails after it has lost this many workers. */
const MAX_STALLED = 20;

/**
 * Starts a worker, which processes the jobs of submitted runs until it is stopped. It waits for a server that becomes
 * unreachable.
 *
 * @throws OptionError when an option is out of range; RelflowError `bad-queue` when the server cannot be reached at the
 *   start
 * @example
 * ```ts
 * import { Graph, sceneGraphLines, sceneGraphs } from 'relflow';
 * import { queueServer, startWorker } from 'relflow/queue';
 *
 * const graph = new Graph('copy');
 * graph.from(sceneGraphLines({ sceneGraphs: '/shared/graphs.jsonl' })).to(sceneGraphs());
 * const worker = await startWorker(queueServer('redis://queue:6379'), { graphOf: async () => graph });
 * process.once('SIGTERM', () => void worker.stop());
 * ```
 */
export async function startWorker(server: QueueServer, options: WorkerOptions): Promise<RunningWorker> {
  const { lanes = LANES, jobs = 1, heartbeatSeconds = 30, recordTimeoutSeconds, onEvent = () => {} } = options;
  checkPositiveInteger('worker', 'jobs', jobs);
  checkPositiveInteger('worker', 'heartbeatSeconds', heartbeatSeconds);
  if (recordTimeoutSeconds !== undefined) checkPositiveInteger('worker', 'recordTimeoutSeconds', recordTimeoutSeconds);
  if ((recordTimeoutSeconds ?? 0) > MAX_TIMEOUT_SECONDS) {
    throw new OptionError(
      'worker',
      `recordTimeoutSeconds ${recordTimeoutSeconds}, expected at most ${MAX_TIMEOUT_SECONDS}`,
    );
  }
  const unknown = lanes.find((lane) => !LANES.includes(lane));
  if (lanes.length === 0 || unknown !== undefined) {
    throw new OptionError('worker', `unknown lane '${unknown ?? ''}', expected one or more of ${LANES.join(', ')}`);
  }
  if (options.root !== undefined && !(await stat(options.root).catch(() => null))?.isDirectory())
    throw new OptionError('worker', `root ${options.root}, expected the folder in which the folders of runs are`);
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
