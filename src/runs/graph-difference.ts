import { digest } from '../files/digest.js';
import { version } from '../package-info.js';
import type { NodeDescription } from '../records/manifest.js';
import type { RunState } from '../records/run-state.js';

/** Describes in words how a graph, or this version of relflow, differs from the saved run's; null when neither does. */
export function graphDifference(saved: RunState, graph: readonly NodeDescription[]): string | null {
  if (saved.relflow !== version) return `it was started by relflow ${saved.relflow}, this is ${version}`;
  if (digest(saved.graph) === digest(graph)) return null;
  const changed = graph.find((node, index) => digest(node) !== digest(saved.graph[index] ?? null));
  return `the pipeline or its options differ${changed ? `, starting with '${changed.id}'` : ''}`;
}
