import writeFileAtomic from 'write-file-atomic';
import { readSmallJson } from '../files/read-small-file.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { BAD_RESULT } from '../graph/engine/check-result.js';
import type { StageLoad, StageMetrics } from '../graph/engine/stage-metrics.js';
import type { Graph } from '../graph/graph.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import type { RunSummary } from './run-summary.js';

/** Requests to models by stage, then by name: requests, cached, spend… */
export type ModelUsage = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Returns what the stages of a graph have requested from models in this process. */
export function reportedUsage(graph: Graph): ModelUsage {
  return Object.fromEntries(
    graph.nodes.flatMap((node) => {
      const usage = node.kind === 'stage' ? node.spec.usage?.() : undefined;
      return usage ? [[node.id, usage]] : [];
    }),
  );
}

/** Returns the records of a stage per second of work; null when there was none. Waiting for a rate limit or a retry does not count as work. */
export function recordsPerSecond(
  { in: records, milliseconds }: StageLoad,
  usage: Readonly<Record<string, number>> | undefined,
): number | null {
  const worked = milliseconds / 1000 - (usage?.['waitedSeconds'] ?? 0);
  return worked > 0 ? Math.round(records / worked) : null;
}

/** What `writeReport` writes besides times. */
export interface ReportOptions {
  /** Summary of a finished run. */
  readonly summary?: RunSummary;
  /** Whether an output with nothing of use is accepted; null when the caller did not say. */
  readonly allowEmpty?: boolean | null | undefined;
  /** Code of the error that ended an unfinished run. */
  readonly error?: string | undefined;
}

/**
 * Writes `report.json`: the summary of a finished run, and the time and the model requests of each stage, which differ between
 * two equal runs.
 */
export async function writeReport(
  folder: RunFolder,
  graph: Graph,
  metrics: StageMetrics,
  { summary, allowEmpty = null, error }: ReportOptions = {},
): Promise<void> {
  const usage = reportedUsage(graph);
  const stages = Object.entries(metrics.stages).map(([id, load]) => ({
    stage: id,
    ...load,
    perSecond: recordsPerSecond(load, usage[id]),
    ...(usage[id] && { usage: usage[id] }),
  }));
  const report = {
    format: 'relflow.report/1',
    seconds: metrics.seconds,
    stages,
    ...(summary && { summary, allowEmpty }),
    ...(error !== undefined && { error }),
  };
  await wrapIoErrors(folder.path, () =>
    writeFileAtomic(folder.pathTo('report.json'), `${JSON.stringify(report, null, 2)}\n`),
  );
}

/** Reads what the report of a finished run says of its output; null when there is no such report. */
export async function readReport(
  folder: RunFolder,
): Promise<Required<Pick<ReportOptions, 'summary' | 'allowEmpty'>> | null> {
  const { summary, allowEmpty = null } = await reportOf(folder);
  return summary ? { summary, allowEmpty } : null;
}

/** Resolves to whether a run ended because its own code returned what it must not; what it wrote before is of the same code. */
export async function endedByBadResult(folder: RunFolder): Promise<boolean> {
  return (await reportOf(folder)).error === BAD_RESULT;
}

/** Resolves to whether the output of a finished run has nothing of use and may be replaced by that of another run. */
export async function isReplaceable(folder: RunFolder): Promise<boolean> {
  const report = await readReport(folder);
  if (!report || report.summary.empty === null) return false;
  return report.allowEmpty === null ? report.summary.imagesWritten === 0 : !report.allowEmpty;
}

/** Reads the report of a run; empty when there is none that can be read. */
async function reportOf(folder: RunFolder): Promise<ReportOptions> {
  try {
    return ((await readSmallJson(folder.pathTo('report.json'))) as ReportOptions | null) ?? {};
  } catch {
    return {};
  }
}
