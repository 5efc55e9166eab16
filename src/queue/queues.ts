import type { Queue as BullQueue } from 'bullmq';
import type { Lane } from '../operators/operator.js';
import { signed } from './check-job.js';
import type { RunJob, ShardJob } from './jobs.js';
import { Queue } from './queue-packages.js';
import type { QueueServer } from './queue-server.js';

/** All lanes, in the order in which a run passes them. */
export const LANES: readonly Lane[] = ['source', 'captions', 'cpu', 'tagging', 'finish'];

/** Prefix of every key of relflow on the server. */
export const PREFIX = 'relflow';

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
  { secret }: QueueServer,
  queue: ShardQueue,
  { run, out, stateDigest: state, retries }: RunJob,
  shard: number,
  phase: number,
): Promise<void> {
  await queue.add('shard', signed({ run, out, stateDigest: state, retries, shard, phase }, secret), {
    ...retries,
    ...RETENTION,
    jobId: `${run}-${phase}-${shard}`,
    parent: { id: run, queue: `${PREFIX}:finish` },
    // A shard that fails after all attempts does not block the others.
    ignoreDependencyOnFailure: true,
  });
}
