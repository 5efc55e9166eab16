import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { FlowProducer } from 'bullmq';
import { RelflowError } from '../errors.js';
import { digest } from '../files/digest.js';
import { phasesOf } from '../graph/engine/phases.js';
import type { Graph } from '../graph/graph.js';
import type { Lane } from '../operators/operator.js';
import { RunFolder } from '../run-folder/run-folder.js';
import { identifyRun, joinRun, type RunIdentity } from '../runs/prepare-run.js';
import { checkRun } from '../runs/run.js';
import { checkServer, type QueueServer } from './queue-server.js';
import { PREFIX, queueOf, RETENTION, type RunJob } from './queues.js';
import { currentRunId, saveRunId } from './run-id.js';

export interface SubmitOptions extends Omit<RunIdentity, 'shardBytes'> {
  /** The run's folder, which all workers see under the same path. */
  readonly out: string;
  /** At most so many jobs of a lane at once, over all workers. */
  readonly limits?: Readonly<Partial<Record<Lane, number>>>;
  /** At most so many images a minute in a lane, over all workers. */
  readonly rates?: Readonly<Partial<Record<Lane, number>>>;
  /** How often a job is tried before it is given up. Default 5. */
  readonly attempts?: number;
  /** Pause before the second attempt; it doubles each time. Default 1,000. */
  readonly backoffMilliseconds?: number;
  /** Told how many bytes of the inputs were checked. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** A run that workers do. */
export interface Submitted {
  readonly folder: RunFolder;
  readonly run: string;
  /** Who has to do what: the lanes that need a worker. */
  readonly lanes: readonly Lane[];
  /** True where the run was in the queue already. */
  readonly joined: boolean;
}

/**
 * Puts a run into the queues: a job that ends the run, and below it one that reads the sources and adds a job for each
 * shard. A run that is in the queues already is joined; one whose jobs failed is put in again, and only what is missing
 * is done.
 *
 * @throws as `run` does before any work, and RelflowError `bad-queue` where the server can't be reached
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
  await checkServer(server);
  const state = await identifyRun(graph, options, signal, (done, total) => onProgress?.(done, total));
  const folder = new RunFolder(resolve(options.out));
  await joinRun(folder, state);
  const lanes = [...new Set<Lane>([...phasesOf(graph.nodes).lanes, 'finish'])];
  const found = await currentRunId(server, folder);
  if (found) return { folder, run: found, lanes, joined: true };

  for (const lane of lanes) await setLaneLimits(server, lane, options, state.sharding.records);
  const name = randomUUID();
  const retries = { attempts, backoff: { type: 'exponential', delay: backoffMilliseconds } };
  const data: RunJob = { run: name, out: folder.path, stateDigest: digest(state), retries };
  const producer = new FlowProducer({ connection: server.options, prefix: PREFIX });
  producer.on('error', () => {});
  try {
    await saveRunId(folder, name);
    await producer.add({
      name: state.pipeline,
      queueName: 'finish',
      data,
      opts: { ...RETENTION, ...retries, jobId: name },
      children: [
        {
          name: 'read',
          queueName: 'source',
          data,
          opts: { ...RETENTION, ...retries, jobId: `${name}-source`, ignoreDependencyOnFailure: true },
        },
      ],
    });
  } catch (error) {
    throw new RelflowError('bad-queue', `${server.name}: ${(error as Error).message}`, {}, { cause: error });
  } finally {
    await producer.close();
  }
  return { folder, run: name, lanes, joined: false };
}

/** Sets what a lane may do at most; what was set before stays where nothing is said. */
async function setLaneLimits(
  server: QueueServer,
  lane: Lane,
  { limits, rates }: SubmitOptions,
  shardRecords: number,
): Promise<void> {
  const [jobs, perMinute] = [limits?.[lane], rates?.[lane]];
  if (jobs === undefined && perMinute === undefined) return;
  const queue = queueOf(server, lane);
  try {
    if (jobs !== undefined) await queue.setGlobalConcurrency(jobs);
    // A job is a shard: one in the time that its images may take.
    if (perMinute !== undefined) await queue.setGlobalRateLimit(1, Math.ceil((shardRecords / perMinute) * 60_000));
  } finally {
    await queue.close();
  }
}
