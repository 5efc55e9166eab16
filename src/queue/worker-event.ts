import type { ShardResult } from '../runs/process-shard.js';

/** Event of a worker: what it has read, started or finished, or an error. */
export type WorkerEvent =
  | ({ readonly event: 'read'; readonly records: number; readonly seconds: number } & InRun)
  | ({ readonly event: 'started' } & InShard)
  | ({ readonly event: 'isolated' } & InShard)
  | ({
      readonly event: 'shard';
      readonly result: ShardResult['status'];
      readonly records: number;
      readonly seconds: number;
    } & InShard)
  | ({ readonly event: 'finished'; readonly records: number } & InRun)
  | { readonly event: 'failed'; readonly job: string; readonly attempt: number; readonly reason: string }
  | { readonly event: 'queue-error'; readonly reason: string };

interface InRun {
  /** The run's folder. */
  readonly out: string;
}

interface InShard extends InRun {
  readonly shard: number;
  readonly phase: number;
}
