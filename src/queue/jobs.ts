import type { JobsOptions } from 'bullmq';

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
  /** HMAC-SHA256 of the other fields, if the server has a secret. */
  readonly signature?: string;
}

/** Job for one phase of one shard. */
export interface ShardJob extends RunJob {
  readonly shard: number;
  readonly phase: number;
}
