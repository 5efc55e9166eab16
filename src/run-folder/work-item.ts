import type { StageCounts } from '../records/manifest.js';
import type { Reject } from '../records/reject.js';

/** A record that waits before a stage of a later phase, as plain JSON. */
export interface PendingRecord {
  /** Id of the stage that it waits for. */
  readonly node: string;
  /** Ids of the nodes that it has gone through. */
  readonly trail: readonly string[];
  /** Which branches it took. */
  readonly path: string;
  readonly record: object;
}

/** Everything that is known of one record of the input between two phases. */
export interface WorkItem {
  /** Position in the input, from 0. */
  readonly ordinal: number;
  readonly writes: readonly { readonly sink: string; readonly path: string; readonly line: string }[];
  readonly rejects: readonly { readonly path: string; readonly reject: Reject }[];
  readonly stages: Readonly<Record<string, StageCounts>>;
  /** Empty where nothing is left to do. */
  readonly pending: readonly PendingRecord[];
}
