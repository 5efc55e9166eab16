import { randomUUID } from 'node:crypto';
import { execute } from '../graph/engine/execute.js';
import { phasesOf } from '../graph/engine/phases.js';
import type { Graph } from '../graph/graph.js';
import type { SourceProgress } from '../records/ports.js';
import type { RunState } from '../records/run-state.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { ShardLayout } from '../run-folder/shard-layout.js';
import { pendingShards, writeWork } from '../run-folder/work-files.js';
import type { WorkItem } from '../run-folder/work-item.js';
import { writeExtent } from '../run-folder/write-extent.js';
import { removeIntermediateFiles } from './finish-run.js';

/** Does the next phase of a shard in the process that has just read it. */
export interface InlinePhase {
  /** Asked before a shard is read: whether that is better than to put it aside for others. */
  readonly isPreferred: () => Promise<boolean>;
  /** The next shard is read as soon as its items are; where it fails, the sources are read no further. */
  readonly process: (shard: number, items: AsyncIterable<WorkItem>) => Promise<void>;
}

export interface ProcessSourceOptions {
  readonly signal: AbortSignal;
  /** Told of each shard that waits for a phase. */
  readonly onShard: (shard: number, phase: number) => Promise<void>;
  /** What is read is put aside unless given. */
  readonly inline?: InlinePhase;
  readonly onProgress?: (progress: SourceProgress) => void;
}

/**
 * The first phase of a run on many machines: reads the sources, with the captions and graphs that lie in files, into one
 * file a shard, save for shards that are better done at once. Those that wait already, or are whole, are not written
 * again. A process that was cut off goes on here beside the one that took its place, since what it reads is of use,
 * until the run is finished.
 *
 * @returns how many records the input has
 */
export async function processSource(
  graph: Graph,
  folder: RunFolder,
  state: RunState,
  options: ProcessSourceOptions,
): Promise<number> {
  try {
    const read = (await folder.isFinished()) ? null : await readSources(graph, folder, state, options);
    return read ?? (await folder.manifest())!.records;
  } catch (error) {
    // Others finished the run in the meantime and took away what this one was writing.
    if (options.signal.aborted || !(await folder.isFinished())) throw error;
    return (await folder.manifest())!.records;
  } finally {
    await removeIntermediateFiles(folder);
  }
}

/** Returns null when others have finished the run. */
async function readSources(
  graph: Graph,
  folder: RunFolder,
  state: RunState,
  { signal, onShard, inline, onProgress }: ProcessSourceOptions,
): Promise<number | null> {
  const layout = new ShardLayout(state.sharding);
  const complete = await folder.completeShards();
  const pending = await pendingShards(folder);
  for (const [shard, phase] of pending) if (!complete.has(shard)) await onShard(shard, phase);
  const isWritten = (shard: number) => complete.has(shard) || pending.has(shard);
  const known = await folder.extent();
  if (known && layout.shards(known.records).every(isWritten)) return known.records;
  let extent = 0;
  const outcomes = execute(graph.nodes, {
    mode: 'first-phase',
    phases: phasesOf(graph.nodes),
    wanted: (ordinal) => !isWritten(layout.shardOf(ordinal)),
    onEnd: (total) => {
      extent = total;
    },
    signal,
    tempDir: folder.internalPathTo('tmp', `source-${randomUUID()}`),
    keepStagesOpen: true,
    onProgress,
  });
  // Up to two shards are processed inline: the one being read, and the one before it, whose files may still be on their
  // way to the disk.
  const inFlight: Promise<void>[] = [];
  try {
    let next = await outcomes.next();
    const itemsOf = async function* (shard: number, onEnd?: () => void): AsyncGenerator<WorkItem, void> {
      for (; !next.done && layout.shardOf(next.value.ordinal) === shard; next = await outcomes.next()) {
        yield next.value.work!;
      }
      onEnd?.();
    };
    while (!next.done) {
      if (await folder.isFinished()) return null;
      const shard = layout.shardOf(next.value.ordinal);
      if (inline && (await inline.isPreferred())) {
        await new Promise<void>((resolve, reject) => {
          const work = inline.process(shard, itemsOf(shard, resolve));
          inFlight.push(work);
          work.then(resolve, reject);
        });
        if (inFlight.length > 1) await inFlight.shift();
      } else {
        await writeWork(folder, shard, 1, itemsOf(shard));
        await onShard(shard, 1);
      }
      // The items of a shard that others have completed meanwhile were not consumed.
      for await (const _ of itemsOf(shard));
    }
    await Promise.all(inFlight);
    await writeExtent(folder, extent);
    return extent;
  } finally {
    await Promise.allSettled(inFlight);
    await outcomes.return();
  }
}
