import { type JobsOptions, Queue } from 'bullmq';
import type { Lane } from '../operators/operator.js';
import type { QueueServer } from './queue-server.js';

/** All lanes, in the order in which a run goes through them. */
export const LANES: readonly Lane[] = ['source', 'captions', 'cpu', 'tagging', 'finish'];

/** What all keys of relflow begin with. */
export const PREFIX = 'relflow';

/** A job of a run. */
export interface RunJob {
  /** Names this submission of the run. */
  readonly run: string;
  /** The run's folder. */
  readonly out: string;
  /** SHA-256 of what the run is: a folder may hold another one when the job's turn comes. */
  readonly stateDigest: string;
  /** How its jobs are tried again. */
  readonly retries: Pick<JobsOptions, 'attempts' | 'backoff'>;
}

/** A job for one phase of one shard. */
export interface ShardJob extends RunJob {
  readonly shard: number;
  readonly phase: number;
}

/** A queue that shards are added to. */
export type ShardQueue = Queue<ShardJob, unknown, string>;

/** How long what became of a job can be looked up. */
export const RETENTION = { removeOnComplete: { age: 24 * 3600 }, removeOnFail: { age: 7 * 24 * 3600 } } as const;

/** The queue of a lane, as dashboards for BullMQ show it. */
export function queueOf({ options }: QueueServer, lane: Lane): ShardQueue {
  const queue: ShardQueue = new Queue(lane, { connection: options, prefix: PREFIX });
  // Told again and again while the server is away; ioredis goes on trying.
  queue.on('error', () => {});
  return queue;
}

/** Adds a shard's job for a phase, once a submission, below the job that ends the run. */
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
      // A shard that is given up does not keep the others from being done.
      ignoreDependencyOnFailure: true,
    },
  );
}
