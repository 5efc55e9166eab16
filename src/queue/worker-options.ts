import type { Graph } from '../graph/graph.js';
import type { Lane } from '../operators/operator.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import type { ShardResult } from '../runs/process-shard.js';
import type { ShardJob } from './jobs.js';
import type { WorkerEvent } from './worker-event.js';

/** Options of `startWorker`. */
export interface WorkerOptions {
  /**
   * Builds the graph of the run in a folder. `isSigned` says that this very run was submitted with the secret of the
   * server; otherwise anyone who can write to the server or the folder may have made it.
   */
  readonly graphOf: (folder: RunFolder, job: { readonly isSigned: boolean }) => Promise<Graph>;
  /** Jobs whose folder is not in this one, links resolved, are refused. Default: any folder. */
  readonly root?: string;
  /** Lanes whose jobs the worker processes. Default: all. */
  readonly lanes?: readonly Lane[];
  /** Number of shards of each lane that it processes at once. Default 1. */
  readonly jobs?: number;
  /** Number of records that each stage processes at once, instead of the stage's own. */
  readonly concurrency?: number;
  /** Seconds without a heartbeat after which a worker's shards go to other workers. Default 30. */
  readonly heartbeatSeconds?: number;
  /** A shard is processed in a separate process when none of its records finishes for this many seconds. Default 900. */
  readonly recordTimeoutSeconds?: number;
  /**
   * Processes a shard in a separate process, after it has crashed several workers or timed out. Default: such shards are
   * retried like others.
   * @throws Error when the shard cannot be processed that way either
   */
  readonly isolate?: (folder: RunFolder, job: ShardJob, signal: AbortSignal) => Promise<ShardResult>;
  /** Called with each event. */
  readonly onEvent?: (event: WorkerEvent) => void;
}
