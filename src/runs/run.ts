import { OptionError } from '../errors.js';
import { lockFolder } from '../files/lock-folder.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { checkEnds, checkWiring } from '../graph/check-wiring.js';
import { execute } from '../graph/engine/execute.js';
import { type StageLoad, StageMetrics } from '../graph/engine/stage-metrics.js';
import type { Graph } from '../graph/graph.js';
import type { Manifest } from '../records/manifest.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { SourceProgress } from '../records/ports.js';
import type { RunState } from '../records/run-state.js';
import { RunFolder } from '../run-folder/run-folder.js';
import { ShardWriter } from '../run-folder/shard-writer.js';
import { outcomeLines } from './outcome-lines.js';
import { checkRunState, identifyRun, startRun } from './prepare-run.js';
import { type ModelUsage, usageOf, writeReport } from './run-report.js';
import { writeManifest } from './write-manifest.js';

export interface RunOptions {
  /** The output folder; made if there is none. */
  readonly out: string;
  /** What the pipeline was made with, for `relflow resume`; null (default) where it was composed in code. */
  readonly pipelineOptions?: Readonly<Record<string, unknown>> | null;
  /** Goes on with an interrupted run of the same graph, options and inputs. Default false. */
  readonly resume?: boolean;
  /** Removes an earlier run from the folder first. Default false. */
  readonly overwrite?: boolean;
  /** A shard covers at most so many records of the input. Default 1,000. */
  readonly shardRecords?: number;
  /** A shard also ends where one of its files reaches this size in bytes, uncompressed. Default: no bound. */
  readonly shardBytes?: number;
  /** Compress shards. Default false. */
  readonly gzip?: boolean;
  /** How many records each stage works on at once, instead of its own choice. The output does not depend on it. */
  readonly concurrency?: number;
  /**
   * Reads nothing more, finishes what is in flight and keeps it all for a resume. While the inputs are still being
   * checked there is nothing to keep, and `run` rejects with its reason.
   */
  readonly stop?: AbortSignal;
  /** Ends at once; what was not yet written is lost. */
  readonly signal?: AbortSignal;
  /** Told often how far the run is. */
  readonly onProgress?: (progress: RunProgress) => void;
}

/** How far a run is. */
export interface RunProgress {
  readonly phase: 'checking' | SourceProgress['phase'] | 'finishing';
  /** Bytes while checking and reading, records after that. */
  readonly done: number;
  /** Null where it is not known. */
  readonly total: number | null;
  /** Records of the input that are done, earlier runs included. */
  readonly records: number;
  readonly shards: number;
  readonly stages: Readonly<Record<string, StageLoad>>;
  /** What was asked of models in this process, by stage; empty where none is asked. */
  readonly usage: ModelUsage;
}

/** How a run ended. */
export interface RunResult {
  readonly folder: RunFolder;
  /** Null where the run was stopped before its end. */
  readonly manifest: Manifest | null;
  /** Records of the input that are done, earlier runs included. */
  readonly records: number;
  /** What this process did; an earlier one's times are not known. */
  readonly stages: Readonly<Record<string, StageLoad>>;
  /** What this process asked of models; earlier ones have their own reports. */
  readonly usage: ModelUsage;
  readonly seconds: number;
}

/** Tells whoever watches how far the run is. */
type Report = (progress: Pick<RunProgress, 'phase' | 'done' | 'total'>, writer?: ShardWriter) => void;

/**
 * Runs a graph into a folder. Bad records go to the rejects; broken I/O ends the run with everything so far kept. The
 * same inputs, options and version give the same bytes, whatever the concurrency and however often it was interrupted.
 *
 * @throws WiringError, OptionError, InputError or OutputError before any work; InputError or OutputError on the way
 */
export async function run(graph: Graph, options: RunOptions): Promise<RunResult> {
  checkRun(graph, options);
  const { resume = false } = options;
  if (resume && options.overwrite) throw new OptionError('run', 'expected resume or overwrite, not both');
  const signal = options.signal ?? new AbortController().signal;
  const stop = options.stop ?? new AbortController().signal;
  const metrics = new StageMetrics();
  const folder = new RunFolder(options.out);
  const report: Report = (progress, writer) =>
    options.onProgress?.({
      ...progress,
      records: writer?.records ?? 0,
      shards: writer?.shards ?? 0,
      stages: metrics.stages,
      usage: usageOf(graph),
    });

  const state = await identifyRun(graph, options, AbortSignal.any([signal, stop]), (done, total) =>
    report({ phase: 'checking', done, total }),
  );
  // Nothing is made, not even a lock, in a folder that is somebody else's.
  await checkRunState(folder, state, resume, options.overwrite ?? false);
  const unlock = await lockFolder(folder.path, folder.lock);
  try {
    // Before the lock was taken another process may have run here.
    const found = await checkRunState(folder, state, resume, options.overwrite ?? false);
    if (!found || !resume) await wrapIoErrors(folder.path, () => startRun(folder, state));
    return await runLocked(graph, folder, state, { ...options, signal, stop }, metrics, report);
  } finally {
    await unlock();
  }
}

/**
 * Checks a graph and the options of its run before any work.
 *
 * @throws WiringError or OptionError
 */
export function checkRun(graph: Graph, { out, shardRecords, shardBytes, concurrency }: RunOptions): void {
  checkWiring(graph);
  checkEnds(graph);
  if (!out) throw new OptionError('run', 'no output folder');
  if (shardRecords !== undefined) checkPositiveInteger('run', 'shardRecords', shardRecords);
  if (shardBytes !== undefined) checkPositiveInteger('run', 'shardBytes', shardBytes);
  if (concurrency !== undefined) checkPositiveInteger('run', 'concurrency', concurrency);
}

/** The run itself, in a folder that no other process writes to. */
async function runLocked(
  graph: Graph,
  folder: RunFolder,
  state: RunState,
  options: RunOptions & Required<Pick<RunOptions, 'signal' | 'stop'>>,
  metrics: StageMetrics,
  report: Report,
): Promise<RunResult> {
  await folder.removeTemporaryFiles();
  const earlier = await folder.manifest();
  if (earlier) {
    return { folder, manifest: earlier, records: earlier.records, stages: {}, usage: {}, seconds: metrics.seconds };
  }

  const { signal, stop } = options;
  const writer = await ShardWriter.open(folder, state.sharding);
  const alreadyDone = writer.records;
  let source: SourceProgress = { phase: 'reading', done: 0, total: null };
  try {
    const outcomes = execute(graph.nodes, {
      mode: 'all',
      wanted: (ordinal) => ordinal >= alreadyDone,
      signal,
      stop,
      tempDir: folder.internalPathTo('tmp'),
      concurrency: options.concurrency,
      metrics,
      onProgress: (progress) => {
        source = progress;
        if (progress.phase === 'reading') report(progress, writer);
      },
    });
    for await (const outcome of outcomes) {
      await writer.commit(outcomeLines(outcome));
      report(
        { phase: 'records', done: writer.records, total: source.phase === 'records' ? source.total : null },
        writer,
      );
    }
    let manifest: Manifest | null = null;
    if (stop.aborted) {
      await writer.checkpoint();
      await writeReport(folder, graph, metrics);
    } else {
      report({ phase: 'finishing', done: 0, total: null }, writer);
      await writer.finish();
      await writeReport(folder, graph, metrics);
      manifest = await wrapIoErrors(folder.path, () => writeManifest(graph, folder, state, signal, stop));
    }
    return {
      folder,
      manifest,
      records: writer.records,
      stages: metrics.stages,
      usage: usageOf(graph),
      seconds: metrics.seconds,
    };
  } catch (error) {
    // The error that matters is the first one.
    await writer.checkpoint().catch(() => {});
    report({ phase: 'records', done: writer.records, total: null }, writer);
    await writeReport(folder, graph, metrics).catch(() => {});
    throw error;
  } finally {
    await writer.close();
  }
}
