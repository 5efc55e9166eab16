import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { OptionError, RelflowError } from '../errors.js';
import { digest } from '../files/digest.js';
import { phasesOf } from '../graph/engine/phases.js';
import type { Graph } from '../graph/graph.js';
import type { Lane } from '../operators/operator.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import { RunFolder } from '../run-folder/run-folder.js';
import { identifyRun, joinRun, type RunIdentity } from '../runs/prepare-run.js';
import { checkRun } from '../runs/run.js';
import { MAX_ATTEMPTS, signed } from './check-job.js';
import type { RunJob } from './jobs.js';
import { FlowProducer } from './queue-packages.js';
import { checkServer, type QueueServer } from './queue-server.js';
import { openQueue, PREFIX, RETENTION } from './queues.js';
import { currentRunId, saveRunId } from './run-id.js';

/** Options of `submit`. */
export interface SubmitOptions extends Omit<RunIdentity, 'shardBytes'> {
  /** The run's folder; all workers see it under the same path. */
  readonly out: string;
  /** Most jobs of a lane at once, over all workers. */
  readonly limits?: Readonly<Partial<Record<Lane, number>>>;
  /** Most images per minute in a lane, over all workers. */
  readonly rates?: Readonly<Partial<Record<Lane, number>>>;
  /** Attempts at a job before it fails, at most 1,000. Default 5. */
  readonly attempts?: number;
  /** Pause before the second attempt; it doubles with each further one. Default 1,000. */
  readonly backoffMilliseconds?: number;
  /** Called with the number of checked bytes of the inputs and of all bytes. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Run in the queues. */
export interface Submitted {
  readonly folder: RunFolder;
  readonly run: string;
  /** Lanes that need a worker. */
  readonly lanes: readonly Lane[];
  /** True when the run was already in the queues. */
  readonly joined: boolean;
}

/**
 * Submits a run to the queues: a job that finishes the run, with a child job that reads the sources and adds a job for
 * each shard. When the queues already contain the run, it is joined; a run whose jobs failed is submitted again, and only
 * the missing shards are processed.
 *
 * @throws RelflowError `bad-queue` when the server cannot be reached; otherwise as `run` does before any work
 * @example
 * ```ts
 * import { Graph, sceneGraphLines, sceneGraphs } from 'relflow';
 * import { queueServer, submit } from 'relflow/queue';
 *
 * const graph = new Graph('copy');
 * graph.from(sceneGraphLines({ sceneGraphs: '/shared/graphs.jsonl' })).to(sceneGraphs());
 * const { lanes } = await submit(graph, queueServer('redis://queue:6379'), { out: '/shared/out' });
 * console.log('needs workers for', lanes.join(', '));
 * ```
 */
export async function submit(graph: Graph, server: QueueServer, options: SubmitOptions): Promise<Submitted> {
  const {
    onProgress,
    signal = new AbortController().signal,
    attempts = 5,
    backoffMilliseconds = 1000,
    ...run
  } = options;
  checkRun(graph, run);
  checkPositiveInteger('run', 'attempts', attempts);
  if (attempts > MAX_ATTEMPTS) throw new OptionError('run', `attempts ${attempts}, expected at most ${MAX_ATTEMPTS}`);
  await checkServer(server);
  const state = await identifyRun(graph, options, signal, (done, total) => onProgress?.(done, total));
  const folder = new RunFolder(resolve(options.out));
  await joinRun(folder, state);
  const lanes = [...new Set<Lane>([...phasesOf(graph.nodes).lanes, 'finish'])];
  const found = await currentRunId(server, folder);
  if (found) return { folder, run: found, lanes, joined: true };

  for (const lane of lanes) await setLaneLimits(server, lane, options, state.sharding.records);
  const id = randomUUID();
  const retries = { attempts, backoff: { type: 'exponential', delay: backoffMilliseconds } };
  const data = signed<RunJob>({ run: id, out: folder.path, stateDigest: digest(state), retries }, server.secret);
  const producer = new FlowProducer({ connection: server.options, prefix: PREFIX });
  producer.on('error', () => {});
  try {
    await saveRunId(folder, id);
    await producer.add({
      name: state.pipeline,
      queueName: 'finish',
      data,
      opts: { ...RETENTION, ...retries, jobId: id },
      children: [
        {
          name: 'read',
          queueName: 'source',
          data,
          opts: { ...RETENTION, ...retries, jobId: `${id}-source`, ignoreDependencyOnFailure: true },
        },
      ],
    });
  } catch (error) {
    throw new RelflowError('bad-queue', `${server.name}: ${(error as Error).message}`, {}, { cause: error });
  } finally {
    await producer.close();
  }
  return { folder, run: id, lanes, joined: false };
}

/** Sets the limits of a lane; a limit that the options omit stays as it is. */
async function setLaneLimits(
  server: QueueServer,
  lane: Lane,
  { limits, rates }: SubmitOptions,
  shardRecords: number,
): Promise<void> {
  const [jobs, perMinute] = [limits?.[lane], rates?.[lane]];
  if (jobs === undefined && perMinute === undefined) return;
  const queue = openQueue(server, lane);
  try {
    if (jobs !== undefined) await queue.setGlobalConcurrency(jobs);
    // A job is a shard, so the limit is one job in the time of its images.
    if (perMinute !== undefined) await queue.setGlobalRateLimit(1, Math.ceil((shardRecords / perMinute) * 60_000));
  } finally {
    await queue.close();
  }
}
