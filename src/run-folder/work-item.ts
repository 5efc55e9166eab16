import type { StageCounts } from '../records/manifest.js';
import type { Reject } from '../records/reject.js';

/** Record that is pending before a stage of a later phase, as plain JSON. */
export interface PendingRecord {
  /** Id of the stage that processes it next. */
  readonly node: string;
  /** Ids of the nodes that it has passed. */
  readonly trail: readonly string[];
  /** Branches that it has taken, one character per node with several followers. */
  readonly path: string;
  readonly record: object;
}

/** State of one record of the input between two phases. */
export interface WorkItem {
  /** Position in the input, from 0. */
  readonly ordinal: number;
  readonly writes: readonly { readonly sink: string; readonly path: string; readonly line: string }[];
  readonly rejects: readonly { readonly path: string; readonly reject: Reject }[];
  readonly stages: Readonly<Record<string, StageCounts>>;
  /** Empty when no stage remains. */
  readonly pending: readonly PendingRecord[];
}
