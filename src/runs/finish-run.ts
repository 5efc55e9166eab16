import { rm } from 'node:fs/promises';
import { OutputError } from '../errors.js';
import { checksum } from '../files/checksum.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { describeGraph } from '../graph/describe-graph.js';
import type { Graph } from '../graph/graph.js';
import type { Manifest, Shard } from '../records/manifest.js';
import { checkNoLinks, removeIntermediate } from '../run-folder/run-entries.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { ShardLayout } from '../run-folder/shard-layout.js';
import { finisherFiles } from './finisher-files.js';
import { graphDifference } from './graph-difference.js';
import { writeManifest } from './write-manifest.js';

/** Options of `finishRun`. */
export interface FinishRunOptions {
  /** Stops at once, with its reason. */
  readonly signal?: AbortSignal;
  /** Called after each shard with the number of checked shards and of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Finishes a run whose shards several processes have written: checks that every shard is complete and matches its
 * checksums, runs the finishers and writes the manifest. Calling it again returns the same manifest.
 *
 * @throws OutputError naming the shards that are missing or changed
 * @example
 * ```ts
 * import { finishRun, Graph, RunFolder, runPart, sceneGraphLines, sceneGraphs } from 'relflow';
 *
 * const graph = new Graph('copy');
 * graph.from(sceneGraphLines({ sceneGraphs: 'graphs.jsonl' })).to(sceneGraphs());
 * for (const part of [1, 2]) await runPart(graph, { out: 'out', part, parts: 2 });
 * const { records } = await finishRun(graph, new RunFolder('out'));
 * ```
 */
export async function finishRun(
  graph: Graph,
  folder: RunFolder,
  { signal = new AbortController().signal, onProgress }: FinishRunOptions = {},
): Promise<Manifest> {
  const state = await folder.state();
  await checkNoLinks(folder, finisherFiles(state?.graph));
  if (!state) throw new OutputError(folder.path, 'contains no run to finish');
  const difference = graphDifference(state, describeGraph(graph));
  if (difference) throw new OutputError(folder.path, `cannot finish the run: ${difference}`);
  const done = await folder.manifest();
  if (!done) {
    const shards = await requireAllShards(folder, new ShardLayout(state.sharding));
    for (const [index, shard] of shards.entries()) {
      signal.throwIfAborted();
      await checkShard(folder, shard);
      onProgress?.(index + 1, shards.length);
    }
    try {
      await wrapIoErrors(folder.path, () => writeManifest(graph, folder, state, shards, signal));
    } catch (error) {
      // Another process finished the run meanwhile, and removed the files that this one was writing.
      if (signal.aborted || !(await folder.isFinished())) throw error;
    }
  }
  await removeIntermediateFiles(folder);
  return (await folder.manifest()) as Manifest;
}

/**
 * Removes the files that only an unfinished run needs; does nothing before the run is finished. A process that may have
 * written some after others finished the run calls it when it ends.
 */
export async function removeIntermediateFiles(folder: RunFolder): Promise<void> {
  if (!(await folder.isFinished())) return;
  const files = finisherFiles((await folder.state())?.graph);
  await wrapIoErrors(folder.path, async () => {
    // Another process may still be writing there until it notices that the run has ended.
    await removeIntermediate(folder, files);
    // queue.json goes last: waiting processes take its absence as the end of the run.
    await rm(folder.internalPath('queue.json'), { force: true });
  });
}

async function requireAllShards(folder: RunFolder, layout: ShardLayout): Promise<Shard[]> {
  const extent = await folder.extent();
  if (!extent) throw new OutputError(folder.path, 'cannot be finished: no part has reached the end of the input yet');
  const complete = await folder.completeShards();
  const expected = layout.shards(extent.records);
  const missing = expected.filter((shard) => !complete.has(shard));
  if (missing.length > 0) {
    const named = `${missing.slice(0, 10).join(', ')}${missing.length > 10 ? ', …' : ''}`;
    throw new OutputError(
      folder.path,
      `cannot be finished: ${missing.length} of ${expected.length} shards are missing: ${named}`,
    );
  }
  return folder.shards();
}

async function checkShard(folder: RunFolder, { shard, files }: Shard): Promise<void> {
  for (const { path, sha256 } of files) {
    const sum = await checksum(folder.pathTo(path)).catch(() => null);
    if (sum?.sha256 === sha256) continue;
    const problem = sum ? 'does not match the checksum in its marker' : 'is missing';
    throw new OutputError(
      folder.pathTo(path),
      `${problem}; remove ${folder.markerPath(shard)} and process the shard again`,
    );
  }
}
