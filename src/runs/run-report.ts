import writeFileAtomic from 'write-file-atomic';
import type { StageMetrics } from '../graph/engine/stage-metrics.js';
import type { Graph } from '../graph/graph.js';
import type { RunFolder } from '../run-folder/run-folder.js';

/** Requests to models by stage, then by name: requests, cached, spend… */
export type ModelUsage = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Returns what the stages of a graph have requested from models in this process. */
export function usageOf(graph: Graph): ModelUsage {
  return Object.fromEntries(
    graph.nodes.flatMap((node) => {
      const usage = node.kind === 'stage' ? node.spec.usage?.() : undefined;
      return usage ? [[node.id, usage]] : [];
    }),
  );
}

/** Writes `report.json`: the time and the model requests of each stage, which differ between two equal runs. */
export async function writeReport(folder: RunFolder, graph: Graph, metrics: StageMetrics): Promise<void> {
  const usage = usageOf(graph);
  const stages = Object.entries(metrics.stages).map(([id, load]) => ({
    stage: id,
    ...load,
    perSecond: load.milliseconds > 0 ? Math.round((load.in / load.milliseconds) * 1000) : null,
    ...(usage[id] && { usage: usage[id] }),
  }));
  const report = { format: 'relflow.report/1', seconds: metrics.seconds, stages };
  await writeFileAtomic(folder.pathTo('report.json'), `${JSON.stringify(report, null, 2)}\n`);
}
