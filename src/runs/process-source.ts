import { randomUUID } from 'node:crypto';
import { execute } from '../graph/engine/execute.js';
import { phasesOf } from '../graph/engine/phases.js';
import type { Graph } from '../graph/graph.js';
import type { SourceProgress } from '../records/ports.js';
import type { RunState } from '../records/run-state.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { ShardLayout } from '../run-folder/shard-layout.js';
import { shardsWithWorkFiles, writeWork } from '../run-folder/work-files.js';
import type { WorkItem } from '../run-folder/work-item.js';
import { writeExtent } from '../run-folder/write-extent.js';
import { removeIntermediateFiles } from './finish-run.js';

/** Processes the next phase of a shard in the process that reads it. */
export interface InlinePhase {
  /** Called before a shard is read; resolves to whether this process should also process its next phase. */
  readonly isPreferred: () => Promise<boolean>;
  /** Processes the items. The next shard is read as soon as they are consumed; an error stops the reading. */
  readonly process: (shard: number, items: AsyncIterable<WorkItem>) => Promise<void>;
}

/** Options of `processSource`. */
export interface ProcessSourceOptions {
  readonly signal: AbortSignal;
  /** Called with each shard that waits for a phase. */
  readonly onShard: (shard: number, phase: number) => Promise<void>;
  /** Without it, every shard is written to a work file for other processes. */
  readonly inline?: InlinePhase;
  readonly onProgress?: (progress: SourceProgress) => void;
}

/**
 * Processes the first phase of a run on many machines: reads the sources, and captions and graphs from files, into one
 * work file per shard, except for shards that are processed inline. Shards that are complete or pending are not written
 * again. A process that lost its connection continues until the run is finished, next to the one that replaced it: what
 * it reads is useful.
 *
 * @returns the number of records of the input
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
    // Others finished the run meanwhile and removed the files that this process was writing.
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
  const pending = await shardsWithWorkFiles(folder);
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
    tempDir: folder.internalPath('tmp', `source-${randomUUID()}`),
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
