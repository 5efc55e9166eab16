import type { Queue as BullQueue, JobsOptions } from 'bullmq';
import type { Lane } from '../operators/operator.js';
import { Queue } from './queue-packages.js';
import type { QueueServer } from './queue-server.js';

/** All lanes, in the order in which a run passes them. */
export const LANES: readonly Lane[] = ['source', 'captions', 'cpu', 'tagging', 'finish'];

/** Prefix of every key of relflow on the server. */
export const PREFIX = 'relflow';

/** Job of a run. */
export interface RunJob {
  /** Id of this submission of the run. */
  readonly run: string;
  /** The run's folder. */
  readonly out: string;
  /** SHA-256 of the run's state: the folder may contain another run when the job starts. */
  readonly stateDigest: string;
  /** Retry settings of its jobs. */
  readonly retries: Pick<JobsOptions, 'attempts' | 'backoff'>;
}

/** Job for one phase of one shard. */
export interface ShardJob extends RunJob {
  readonly shard: number;
  readonly phase: number;
}

/** Queue of the jobs of a lane. */
export type ShardQueue = BullQueue<ShardJob, unknown, string>;

/** How long finished and failed jobs stay on the server. */
export const RETENTION = { removeOnComplete: { age: 24 * 3600 }, removeOnFail: { age: 7 * 24 * 3600 } } as const;

/** Opens the queue of a lane; dashboards for BullMQ show it under the lane's name. */
export function openQueue({ options }: QueueServer, lane: Lane): ShardQueue {
  const queue: ShardQueue = new Queue(lane, { connection: options, prefix: PREFIX });
  // Emitted repeatedly while the server is unreachable; ioredis keeps reconnecting.
  queue.on('error', () => {});
  return queue;
}

/** Adds a shard's job for a phase as a child of the job that finishes the run; at most once per submission. */
export async function addShardJob(
  queue: ShardQueue,
  { run, out, stateDigest: state, retries }: RunJob,
  shard: number,
  phase: number,
): Promise<void> {
  await queue.add(
    'shard',
    { run, out, stateDigest: state, retries, shard, phase },
    {
      ...retries,
      ...RETENTION,
      jobId: `${run}-${phase}-${shard}`,
      parent: { id: run, queue: `${PREFIX}:finish` },
      // A shard that fails after all attempts does not block the others.
      ignoreDependencyOnFailure: true,
    },
  );
}
