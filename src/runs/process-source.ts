import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { execute } from '../graph/engine/execute.js';
import { phasesOf } from '../graph/engine/phases.js';
import type { Graph } from '../graph/graph.js';
import type { SourceProgress } from '../records/ports.js';
import type { RunState } from '../records/run-state.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { pendingShards, WorkWriter } from '../run-folder/work-files.js';
import type { WorkItem } from '../run-folder/work-item.js';
import { removeIntermediateFiles } from './finish-run.js';
import { publishExtent } from './run-part.js';

/** Does the next phase of a shard in the process that has just read it. */
export interface InlinePhase {
  /** Asked before a shard is read: whether that is better than to put it aside for others. */
  readonly isPreferred: () => Promise<boolean>;
  /** The next shard is read as soon as its items are; where it fails, the sources are read no further. */
  readonly work: (shard: number, items: AsyncIterable<WorkItem>) => Promise<void>;
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

/** Null where others have finished the run. */
async function readSources(
  graph: Graph,
  folder: RunFolder,
  state: RunState,
  { signal, onShard, inline, onProgress }: ProcessSourceOptions,
): Promise<number | null> {
  const perShard = state.sharding.records;
  const whole = await folder.completeShards();
  const waiting = await pendingShards(folder);
  for (const [shard, phase] of waiting) if (!whole.has(shard)) await onShard(shard, phase);
  const known = await folder.extent();
  const isThere = (shard: number) => whole.has(shard) || waiting.has(shard);
  if (known && Array.from({ length: Math.ceil(known.records / perShard) }, (_, i) => i).every(isThere)) {
    return known.records;
  }
  const tempDir = folder.internalPathTo('tmp', `source-${randomUUID()}`);
  await wrapIoErrors(folder.path, () => mkdir(tempDir, { recursive: true }));
  let extent = 0;
  const outcomes = execute(graph.nodes, {
    signal,
    stop: new AbortController().signal,
    tempDir,
    phase: { of: phasesOf(graph.nodes).phaseOf, number: 0 },
    wanted: (ordinal) => !isThere(Math.floor(ordinal / perShard)),
    onEnd: (total) => {
      extent = total;
    },
    ...(onProgress && { onProgress }),
  });
  // Shards that are done at once: the one that is read, and the one before it, whose files may still be on their way to
  // the disk, which takes its time.
  const inWork: Promise<void>[] = [];
  try {
    let next = await outcomes.next();
    const itemsOf = async function* (shard: number, onEnd?: () => void): AsyncGenerator<WorkItem, void> {
      for (; !next.done && Math.floor(next.value.ordinal / perShard) === shard; next = await outcomes.next()) {
        yield next.value.work!;
      }
      onEnd?.();
    };
    while (!next.done) {
      if (await folder.isFinished()) return null;
      const shard = Math.floor(next.value.ordinal / perShard);
      if (await inline?.isPreferred()) {
        await new Promise<void>((resolve, reject) => {
          const work = inline!.work(shard, itemsOf(shard, resolve));
          inWork.push(work);
          work.then(resolve, reject);
        });
        if (inWork.length > 1) await inWork.shift();
      } else {
        await putAside(folder, shard, itemsOf(shard));
        await onShard(shard, 1);
      }
      // A shard that others had made whole by now was not asked for its items.
      for await (const _ of itemsOf(shard));
    }
    await Promise.all(inWork);
    await publishExtent(folder, extent);
    return extent;
  } finally {
    await Promise.allSettled(inWork);
    await outcomes.return();
    await rm(tempDir, { recursive: true, force: true });
  }
}

async function putAside(folder: RunFolder, shard: number, items: AsyncIterable<WorkItem>): Promise<void> {
  const writer = await WorkWriter.begin(folder, shard, 1);
  try {
    for await (const item of items) await writer.add(item);
    await writer.publish();
  } finally {
    await writer.discard();
  }
}
