import type { RecordError } from '../errors.js';
import { execute } from '../graph/engine/execute.js';
import type { ExecuteOptions } from '../graph/engine/execute-options.js';
import { phasesOf } from '../graph/engine/phases.js';
import type { Outcome } from '../graph/engine/record-tracker.js';
import type { Graph } from '../graph/graph.js';
import type { RunState } from '../records/run-state.js';
import { AtomicShard } from '../run-folder/atomic-shard.js';
import { exists, type RunFolder } from '../run-folder/run-folder.js';
import { readWork, removeWork, WorkWriter, workPath } from '../run-folder/work-files.js';
import type { WorkItem } from '../run-folder/work-item.js';
import { removeIntermediateFiles } from './finish-run.js';
import { outcomeLines } from './outcome-lines.js';

export interface ProcessShardOptions {
  readonly signal: AbortSignal;
  /** What the shard's file would hold, where it was not put aside. */
  readonly items?: AsyncIterable<WorkItem>;
  /** Told of each record that is done. */
  readonly onRecord?: () => void;
  readonly concurrency?: number;
  /** Why what is left to do for a record is refused unseen; null for the others. */
  readonly refuse?: (item: WorkItem) => RecordError | null;
  /** Called before each record, which is then worked on alone. */
  readonly beforeEach?: (item: WorkItem) => void;
}

/**
 * What became of a shard: whole, by this call, before it, or by another while it worked in vain; or on its way to the
 * phase that comes next.
 */
export type ShardResult =
  | { readonly fate: 'whole'; readonly records: number }
  | { readonly fate: 'was whole' }
  | { readonly fate: 'done twice' }
  | { readonly fate: 'next'; readonly phase: number; readonly records: number };

/**
 * Does one phase of one shard of a run on many machines. Two processes may do the same at the same time, since both
 * write the same.
 *
 * @throws InputError where what the shard waits with is missing or not what it should be
 */
export async function processShard(
  graph: Graph,
  folder: RunFolder,
  state: RunState,
  job: { readonly shard: number; readonly phase: number },
  options: ProcessShardOptions,
): Promise<ShardResult> {
  try {
    return await work(graph, folder, state, job, options);
  } catch (error) {
    // Another process made it whole in the meantime and took away what this one needed.
    if (options.signal.aborted || !(await folder.isComplete(job.shard))) throw error;
    return { fate: 'done twice' };
  } finally {
    await removeIntermediateFiles(folder);
  }
}

async function work(
  graph: Graph,
  folder: RunFolder,
  state: RunState,
  { shard, phase }: { readonly shard: number; readonly phase: number },
  options: ProcessShardOptions,
): Promise<ShardResult> {
  const { lanes, phaseOf: of } = phasesOf(graph.nodes);
  const next = phase + 1;
  if (await folder.isComplete(shard)) {
    await removeWork(folder, shard, lanes.length);
    return { fate: 'was whole' };
  }
  if (next < lanes.length && (await exists(workPath(folder, shard, next)))) {
    await removeWork(folder, shard, phase);
    return { fate: 'next', phase: next, records: 0 };
  }
  const first = shard * state.sharding.records;
  const outcomes = outcomesOf(
    graph,
    options.items ?? readWork(workPath(folder, shard, phase), first),
    {
      signal: options.signal,
      stop: new AbortController().signal,
      tempDir: folder.internalPathTo('tmp'),
      skip: first,
      phase: { of, number: phase },
      ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
      ...(options.refuse && { refuse: options.refuse }),
    },
    options,
  );
  if (next < lanes.length) {
    const records = await passOn(outcomes, await WorkWriter.begin(folder, shard, next));
    await removeWork(folder, shard, phase);
    return { fate: 'next', phase: next, records };
  }
  const whole = await AtomicShard.begin(folder, shard, first, state.sharding.gzip);
  try {
    for await (const outcome of outcomes) await whole.commit(outcomeLines(outcome));
    const { records } = whole;
    const mark = await whole.publish();
    await removeWork(folder, shard, phase);
    return mark ? { fate: 'whole', records } : { fate: 'done twice' };
  } finally {
    await whole.discard();
  }
}

async function passOn(outcomes: AsyncIterable<Outcome>, writer: WorkWriter): Promise<number> {
  try {
    for await (const { work } of outcomes) await writer.add(work!);
    await writer.publish();
    return writer.items;
  } finally {
    await writer.discard();
  }
}

async function* outcomesOf(
  graph: Graph,
  work: AsyncIterable<WorkItem>,
  options: ExecuteOptions,
  { beforeEach, onRecord }: ProcessShardOptions,
): AsyncGenerator<Outcome, void> {
  if (!beforeEach) {
    for await (const outcome of execute(graph.nodes, { ...options, work })) {
      onRecord?.();
      yield outcome;
    }
    return;
  }
  for await (const item of work) {
    beforeEach(item);
    yield* execute(graph.nodes, { ...options, skip: item.ordinal, work: only(item) });
  }
}

async function* only(item: WorkItem): AsyncGenerator<WorkItem, void> {
  yield item;
}
