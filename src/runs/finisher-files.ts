import type { NodeDescription } from '../records/manifest.js';
import { EXPORT_FORMATS } from '../sinks/exports/export-formats.js';
import { REPORT_PAGE } from '../sinks/report-page.js';

/** Returns the names of the files that the finishers of a graph write, of those that come with relflow. */
export function finisherFiles(graph: readonly NodeDescription[] = []): string[] {
  const exports = Object.entries(EXPORT_FORMATS).map(([format, { file }]) => [`export-${format}`, file] as const);
  const known = new Map<string, string>([...exports, ['report-page', REPORT_PAGE]]);
  return graph.flatMap(({ kind, name }) => (kind === 'finisher' ? (known.get(name) ?? []) : []));
}
