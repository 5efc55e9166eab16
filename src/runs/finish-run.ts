import { rm } from 'node:fs/promises';
import { OutputError } from '../errors.js';
import { checksum } from '../files/checksum.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import type { Graph } from '../graph/graph.js';
import type { Manifest, Shard } from '../records/manifest.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { ShardLayout } from '../run-folder/shard-layout.js';
import { graphDifference } from './prepare-run.js';
import { writeManifest } from './write-manifest.js';

export interface FinishRunOptions {
  /** Ends at once. */
  readonly signal?: AbortSignal;
  /** Told how many shards were checked. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Makes a run of shards that several processes wrote: checks that all are there and are what their marks say, makes what
 * comes of the whole run, and writes the manifest, once, however often it is called.
 *
 * @throws OutputError naming the shards that are missing or not as they were
 */
export async function finishRun(
  graph: Graph,
  folder: RunFolder,
  { signal = new AbortController().signal, onProgress }: FinishRunOptions = {},
): Promise<Manifest> {
  const state = await folder.state();
  if (!state) throw new OutputError(folder.path, 'holds no run to finish');
  const difference = graphDifference(state, graph);
  if (difference) throw new OutputError(folder.path, `can't finish the run: ${difference}`);
  const done = await folder.manifest();
  if (!done) {
    const shards = await requireAllShards(folder, new ShardLayout(state.sharding));
    for (const [index, shard] of shards.entries()) {
      signal.throwIfAborted();
      await checkShard(folder, shard);
      onProgress?.(index + 1, shards.length);
    }
    await wrapIoErrors(folder.path, () => writeManifest(graph, folder, state, signal));
  }
  await removeIntermediateFiles(folder);
  return (await folder.manifest()) as Manifest;
}

/**
 * Takes away what only a run that is not finished needs; does nothing where it is not. A process that was slow, or cut
 * off, calls it when it ends: what it wrote after the run was finished must not stay.
 */
export async function removeIntermediateFiles(folder: RunFolder): Promise<void> {
  if (!(await folder.isFinished())) return;
  await folder.removeTemporaryFiles();
  // The name in the queues goes last: without it the run is over for those who wait.
  for (const name of ['extent.json', 'partial', 'work', 'queue.json']) {
    // Slow processes may be writing there, until they notice.
    await rm(folder.internalPathTo(name), { recursive: true, force: true, maxRetries: 10 });
  }
}

async function requireAllShards(folder: RunFolder, layout: ShardLayout): Promise<Shard[]> {
  const extent = await folder.extent();
  if (!extent) throw new OutputError(folder.path, 'can’t be finished: no part has come to the end of its input yet');
  const complete = await folder.completeShards();
  const expected = layout.shards(extent.records);
  const missing = expected.filter((shard) => !complete.has(shard));
  if (missing.length > 0) {
    const named = `${missing.slice(0, 10).join(', ')}${missing.length > 10 ? ', …' : ''}`;
    throw new OutputError(
      folder.path,
      `can't be finished: ${missing.length} of ${expected.length} shards are missing: ${named}`,
    );
  }
  return folder.shards();
}

async function checkShard(folder: RunFolder, { shard, files }: Shard): Promise<void> {
  for (const { path, sha256 } of files) {
    const sum = await checksum(folder.pathTo(path)).catch(() => null);
    if (sum?.sha256 === sha256) continue;
    const problem = sum ? 'is not what its mark says' : 'is missing';
    throw new OutputError(
      folder.pathTo(path),
      `${problem}; remove ${folder.markerPath(shard)} and have the shard done again`,
    );
  }
}
