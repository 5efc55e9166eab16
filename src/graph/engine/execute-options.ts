import type { RecordError } from '../../errors.js';
import type { SourceItem, SourceProgress } from '../../records/ports.js';
import type { WorkItem } from '../../run-folder/work-item.js';
import type { Node } from '../node.js';
import type { Phases } from './phases.js';
import type { StageMetrics } from './stage-metrics.js';

/** How a graph is run. */
export interface ExecuteOptions {
  /** Ends at once; what is in flight is lost. */
  readonly signal: AbortSignal;
  /** Reads nothing more, but finishes what is in flight. */
  readonly stop: AbortSignal;
  /** For what sources spill to disk. */
  readonly tempDir: string;
  /** So many records of the input are done already. */
  readonly skip?: number;
  /** Of the others, only those at these positions are wanted; all unless given. */
  readonly wanted?: (ordinal: number) => boolean;
  /** Told how many records the input has, once all of it was read. */
  readonly onEnd?: (total: number) => void;
  /** Does one phase only: what comes to a stage of a later one is pending, see `Outcome.work`. */
  readonly phase?: { readonly of: Phases['phaseOf']; readonly number: number };
  /** Takes up what earlier phases left, in the order of the input, instead of reading the sources. */
  readonly work?: AsyncIterable<WorkItem>;
  /** Why what is pending of a record is to be refused unseen; null for the others. */
  readonly refuse?: (item: WorkItem) => RecordError | null;
  /** Replaces every stage's own concurrency. */
  readonly concurrency?: number;
  /** Collects the records that reach this node. */
  readonly collect?: Node;
  readonly metrics?: StageMetrics;
  readonly onProgress?: (progress: SourceProgress) => void;
  readonly explain?: (node: string, line: string) => void;
  /** Passes over the items for which it is false, as if the sources did not have them. */
  readonly only?: (item: SourceItem<object>) => boolean;
}
