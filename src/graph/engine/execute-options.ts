import type { RecordError } from '../../errors.js';
import type { SourceItem, SourceProgress } from '../../records/ports.js';
import type { WorkItem } from '../../run-folder/work-item.js';
import type { Node } from '../node.js';
import type { Phases } from './phases.js';
import type { RunObservations } from './run-observations.js';
import type { StageMetrics } from './stage-metrics.js';

/** Which records of the sources an execution processes. */
interface SourceSelection {
  /** Returns whether the record at a position of the input is processed. */
  readonly wanted: (ordinal: number) => boolean;
  /** Called with the number of records of the input once all of them have been read. */
  readonly onEnd?: (total: number) => void;
}

/** What an execution reads and how far it processes each record. */
export type ExecuteMode =
  /** Reads the sources and runs every stage and sink. */
  | ({ readonly mode: 'all' } & SourceSelection)
  /** Reads the sources and defers each record that reaches a stage of a later phase, see `Outcome.work`. */
  | ({ readonly mode: 'first-phase'; readonly phases: Phases } & SourceSelection)
  /** Resumes deferred records and defers each one that reaches a stage of a phase after this one. */
  | {
      readonly mode: 'later-phase';
      readonly phases: Phases;
      readonly phase: number;
      /** Deferred records in the order of the input, without gaps. */
      readonly items: AsyncIterable<WorkItem>;
      /** Position of the first of them. */
      readonly first: number;
      /** Returns why what is pending of a record is rejected unprocessed, or null to process it. */
      readonly rejection?: ((item: WorkItem) => RecordError | null) | undefined;
      /** Called before each record, which is then processed alone. */
      readonly beforeEach?: ((item: WorkItem) => void) | undefined;
    }
  /** Reads the sources and collects the records that reach a node, see `Outcome.collected`. */
  | { readonly mode: 'collect'; readonly node: Node }
  /** Reads the sources and processes the items that match, as if there were no others. */
  | { readonly mode: 'matching'; readonly matches: (item: SourceItem<object>) => boolean };

/** How a graph is executed. */
export type ExecuteOptions = ExecuteMode & {
  /** Ends the execution now; records in flight are lost. Default: never aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Stops reading but finishes the records in flight. Default: never aborted. */
  readonly stop?: AbortSignal | undefined;
  /**
   * Folder where sources spill data to disk: created before the first record and removed after the last one. Default: a new
   * folder below the system's temporary folder.
   */
  readonly tempDir?: string | undefined;
  /** Number of records that each stage processes at once, instead of the stage's own. */
  readonly concurrency?: number | undefined;
  /** Leaves the stages open for another execution; the caller closes them with `closeStages`. Default false. */
  readonly keepStagesOpen?: boolean;
  readonly metrics?: StageMetrics;
  readonly observations?: RunObservations | undefined;
  readonly onProgress?: ((progress: SourceProgress) => void) | undefined;
  /** Called with each decision of a stage and its reason. */
  readonly explain?: (node: string, line: string) => void;
};

/** Options with the defaults filled in. */
export type ResolvedOptions = ExecuteOptions & {
  readonly signal: AbortSignal;
  readonly stop: AbortSignal;
  readonly tempDir: string;
};
