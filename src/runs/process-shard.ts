import type { RecordError } from '../errors.js';
import { exists } from '../files/exists.js';
import { withCleanup } from '../files/with-cleanup.js';
import { execute } from '../graph/engine/execute.js';
import { phasesOf } from '../graph/engine/phases.js';
import type { Outcome } from '../graph/engine/record-tracker.js';
import type { Graph } from '../graph/graph.js';
import type { RunState } from '../records/run-state.js';
import { AtomicShard } from '../run-folder/atomic-shard.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { ShardLayout } from '../run-folder/shard-layout.js';
import { readWork, removeWork, workPath, writeWork } from '../run-folder/work-files.js';
import type { WorkItem } from '../run-folder/work-item.js';
import { removeIntermediateFiles } from './finish-run.js';
import { outcomeLines } from './outcome-lines.js';

/** One phase of one shard. */
export interface ShardPhase {
  readonly shard: number;
  readonly phase: number;
}

/** Options of `processShard`. */
export interface ProcessShardOptions {
  readonly signal: AbortSignal;
  /** The shard's pending records. Default: those in its work file. */
  readonly items?: AsyncIterable<WorkItem>;
  /** Called after each record. */
  readonly onRecord?: () => void;
  readonly concurrency?: number;
  /** Returns why what is pending of a record is rejected unprocessed, or null to process it. */
  readonly rejection?: (item: WorkItem) => RecordError | null;
  /** Called before each record, which is then processed alone. */
  readonly beforeEach?: (item: WorkItem) => void;
}

/**
 * Result of processing a shard: completed by this call, already complete, completed by another worker meanwhile, or
 * passed to the next phase.
 */
export type ShardResult =
  | { readonly status: 'completed'; readonly records: number }
  | { readonly status: 'already-complete' }
  | { readonly status: 'completed-elsewhere' }
  | { readonly status: 'next-phase'; readonly phase: number; readonly records: number };

/**
 * Processes one phase of one shard of a run on many machines. Two processes may process the same phase at the same time,
 * since both write the same bytes.
 *
 * @throws InputError when the shard's work file is missing or invalid
 */
export async function processShard(
  graph: Graph,
  folder: RunFolder,
  state: RunState,
  job: ShardPhase,
  options: ProcessShardOptions,
): Promise<ShardResult> {
  const work = async (): Promise<ShardResult> => {
    try {
      return await processPhase(graph, folder, state, job, options);
    } catch (error) {
      // Another process completed the shard meanwhile and removed the files that this one needed.
      if (options.signal.aborted || !(await folder.isComplete(job.shard).catch(() => false))) throw error;
      return { status: 'completed-elsewhere' };
    }
  };
  return withCleanup(work, () => removeIntermediateFiles(folder));
}

async function processPhase(
  graph: Graph,
  folder: RunFolder,
  { sharding }: RunState,
  { shard, phase }: ShardPhase,
  { items, onRecord, ...options }: ProcessShardOptions,
): Promise<ShardResult> {
  const phases = phasesOf(graph.nodes);
  const next = phase + 1;
  const isLast = next === phases.lanes.length;
  if (await folder.isComplete(shard)) {
    await removeWork(folder, shard, phases.lanes.length);
    return { status: 'already-complete' };
  }
  if (!isLast && (await exists(workPath(folder, shard, next)))) {
    await removeWork(folder, shard, phase);
    return { status: 'next-phase', phase: next, records: 0 };
  }
  const first = new ShardLayout(sharding).first(shard);
  const outcomes = execute(graph.nodes, {
    mode: 'later-phase',
    phases,
    phase,
    first,
    items: items ?? readWork(workPath(folder, shard, phase), first, new Set(graph.nodes.map(({ id }) => id))),
    keepStagesOpen: true,
    ...options,
  });
  if (!isLast) {
    const records = await writeWork(folder, shard, next, pendingOf(outcomes, onRecord));
    await removeWork(folder, shard, phase);
    return { status: 'next-phase', phase: next, records };
  }
  const output = await AtomicShard.create(folder, sharding, shard);
  const work = async (): Promise<ShardResult> => {
    for await (const outcome of outcomes) {
      onRecord?.();
      await output.commit(outcomeLines(outcome));
    }
    const { records } = output;
    const published = await output.publish();
    await removeWork(folder, shard, phase);
    return published ? { status: 'completed', records } : { status: 'completed-elsewhere' };
  };
  return withCleanup(work, () => output.discard());
}

async function* pendingOf(outcomes: AsyncIterable<Outcome>, onRecord?: () => void): AsyncGenerator<WorkItem, void> {
  for await (const { work } of outcomes) {
    onRecord?.();
    yield work!;
  }
}
