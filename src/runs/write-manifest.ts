import { RelflowError } from '../errors.js';
import { writeIfAbsent } from '../files/write-if-absent.js';
import { BAD_RESULT, kindOf } from '../graph/engine/check-result.js';
import type { Graph } from '../graph/graph.js';
import type { Manifest, OutputFile, Shard, StageCounts } from '../records/manifest.js';
import type { RunState } from '../records/run-state.js';
import { addStages } from '../records/stage-counts.js';
import type { RunFolder } from '../run-folder/run-folder.js';

/**
 * Runs the finishers and then writes the manifest; resolves to null when it was stopped, so that a resume does it.
 *
 * @param shards markers of all shards of the run
 */
export async function writeManifest(
  graph: Graph,
  folder: RunFolder,
  state: RunState,
  shards: readonly Shard[],
  signal: AbortSignal,
  stop: AbortSignal = new AbortController().signal,
): Promise<Manifest | null> {
  const files = shards.flatMap((shard) => shard.files);
  try {
    const ended = AbortSignal.any([signal, stop]);
    for (const finisher of graph.finishers) {
      ended.throwIfAborted();
      const written: unknown = await finisher.finish(folder, ended);
      if (!Array.isArray(written))
        throw new RelflowError(
          BAD_RESULT,
          `finisher '${finisher.name}': returned ${kindOf(written)}, expected a list of files`,
          {
            finisher: finisher.name,
          },
        );
      files.push(...(written as OutputFile[]));
    }
  } catch (error) {
    if (stop.aborted && error === stop.reason) return null;
    throw error;
  }
  const manifest: Manifest = {
    format: 'relflow.manifest/1',
    relflow: state.relflow,
    pipeline: state.pipeline,
    graph: state.graph,
    inputs: state.inputs,
    records: shards.reduce((sum, shard) => sum + shard.records, 0),
    stages: stagesOf(graph, shards),
    files,
  };
  await writeIfAbsent(folder.pathTo('manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Returns the sum of the counts of shards by node id, in the order of the graph. */
export function stagesOf(graph: Graph, shards: readonly Shard[]): Record<string, StageCounts> {
  const stages: Record<string, StageCounts> = {};
  for (const shard of shards) addStages(stages, shard.stages);
  return Object.fromEntries(graph.nodes.flatMap(({ id }) => (stages[id] ? [[id, stages[id]]] : [])));
}
