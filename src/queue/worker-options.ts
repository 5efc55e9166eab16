import type { Graph } from '../graph/graph.js';
import type { Lane } from '../operators/operator.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import type { ShardResult } from '../runs/process-shard.js';
import type { ShardJob } from './queues.js';
import type { WorkerEvent } from './worker-event.js';

export interface WorkerOptions {
  /** Makes the graph of a run that is in a folder. */
  readonly graphOf: (folder: RunFolder) => Promise<Graph>;
  /** What the worker does; everything unless given. */
  readonly lanes?: readonly Lane[];
  /** Shards of each lane that it does at once. Default 1. */
  readonly jobs?: number;
  /** Records at once in each stage, instead of the stage's own choice. */
  readonly concurrency?: number;
  /** After so many seconds without a sign of life a worker's shards are given to others. Default 30. */
  readonly heartbeatSeconds?: number;
  /** A shard of which no record ends within so many seconds is done in a process of its own. Default 900. */
  readonly recordTimeoutSeconds?: number;
  /**
   * Does a shard that has taken several workers with it, or that stands still, in a process of its own.
   * @throws Error where the shard can't be done that way either
   */
  readonly isolate?: (folder: RunFolder, job: ShardJob, signal: AbortSignal) => Promise<ShardResult>;
  /** Told of what the worker does. */
  readonly onEvent?: (event: WorkerEvent) => void;
}
