import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import type { SourceProgress } from '../records/ports.js';
import type { RunState } from '../records/run-state.js';
import { guard } from '../sinks/guard.js';
import type { RunFolder } from '../sinks/run-folder.js';
import { execute } from './execute.js';
import { clearFinished } from './finish-shards.js';
import type { Graph } from './graph.js';
import { phasesOf } from './phases.js';
import { publishExtent } from './run-part.js';
import { WorkWriter, waitingShards } from './work-files.js';

export interface WorkSourceOptions {
  readonly signal: AbortSignal;
  /** Told of each shard that waits for a phase. */
  readonly onShard: (shard: number, phase: number) => Promise<void>;
  readonly onProgress?: (progress: SourceProgress) => void;
}

/**
 * The first phase of a run on many machines: reads the sources, with the captions and graphs that lie in files, into one
 * file a shard. Shards that wait already, or are whole, are not written again. A process that was cut off goes on here
 * beside the one that took its place, since what it reads is of use, until the run is finished.
 *
 * @returns how many records the input has
 */
export async function workSource(
  graph: Graph,
  folder: RunFolder,
  state: RunState,
  options: WorkSourceOptions,
): Promise<number> {
  try {
    const read = (await folder.isFinished()) ? null : await readSources(graph, folder, state, options);
    return read ?? (await folder.manifest())!.records;
  } catch (error) {
    // Others finished the run in the meantime and took away what this one was writing.
    if (options.signal.aborted || !(await folder.isFinished())) throw error;
    return (await folder.manifest())!.records;
  } finally {
    await clearFinished(folder);
  }
}

/** Null where others have finished the run. */
async function readSources(
  graph: Graph,
  folder: RunFolder,
  state: RunState,
  { signal, onShard, onProgress }: WorkSourceOptions,
): Promise<number | null> {
  const perShard = state.sharding.records;
  const whole = await folder.wholeShards();
  const waiting = await waitingShards(folder);
  for (const [shard, phase] of waiting) if (!whole.has(shard)) await onShard(shard, phase);
  const known = await folder.extent();
  const isThere = (shard: number) => whole.has(shard) || waiting.has(shard);
  if (known && Array.from({ length: Math.ceil(known.records / perShard) }, (_, i) => i).every(isThere)) {
    return known.records;
  }
  const tempDir = folder.inner('tmp', `source-${randomUUID()}`);
  await guard(folder.path, () => mkdir(tempDir, { recursive: true }));
  let current: WorkWriter | null = null;
  const publish = async (writer: WorkWriter) => {
    await writer.publish();
    current = null;
    await onShard(writer.shard, 1);
  };
  let extent = 0;
  try {
    const outcomes = execute(graph.nodes, {
      signal,
      stop: new AbortController().signal,
      tempDir,
      phase: { of: phasesOf(graph.nodes).of, number: 0 },
      wanted: (ordinal) => !isThere(Math.floor(ordinal / perShard)),
      onEnd: (total) => {
        extent = total;
      },
      ...(onProgress && { onProgress }),
    });
    for await (const { ordinal, work } of outcomes) {
      if (!current && (await folder.isFinished())) return null;
      current ??= await WorkWriter.begin(folder, Math.floor(ordinal / perShard), 1);
      await current.add(work!);
      if (current.items === perShard) await publish(current);
    }
    if (current) await publish(current);
    await publishExtent(folder, extent);
    return extent;
  } finally {
    await (current as WorkWriter | null)?.discard();
    await rm(tempDir, { recursive: true, force: true });
  }
}
