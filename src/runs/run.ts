import { randomUUID } from 'node:crypto';
import { rmdir } from 'node:fs/promises';
import { OptionError, RelflowError } from '../errors.js';
import { lockFolder } from '../files/lock-folder.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { checkEnds, checkWiring } from '../graph/check-wiring.js';
import { execute } from '../graph/engine/execute.js';
import { RunObservations } from '../graph/engine/run-observations.js';
import { type StageLoad, StageMetrics } from '../graph/engine/stage-metrics.js';
import type { Graph } from '../graph/graph.js';
import type { Manifest } from '../records/manifest.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { SourceProgress } from '../records/ports.js';
import type { RunState } from '../records/run-state.js';
import { removeTemporaryFiles } from '../run-folder/run-entries.js';
import { RunFolder } from '../run-folder/run-folder.js';
import { ShardWriter } from '../run-folder/shard-writer.js';
import { categoryCoverage } from './category-coverage.js';
import { removeIntermediateFiles } from './finish-run.js';
import { finisherFiles } from './finisher-files.js';
import { outcomeLines } from './outcome-lines.js';
import { checkRunState, identifyRun, startRun } from './prepare-run.js';
import { type ModelUsage, readReport, reportedUsage, writeReport } from './run-report.js';
import { type RunSummary, summarizeRun } from './run-summary.js';
import { stagesOf, writeManifest } from './write-manifest.js';

/** Options of `run`. */
export interface RunOptions {
  /** Output folder; created when it does not exist. */
  readonly out: string;
  /** Options of the recipe, for `relflow resume`. Default null: the graph was composed in code. */
  readonly pipelineOptions?: Readonly<Record<string, unknown>> | null;
  /** Continues an interrupted run of the same graph, options and inputs. Default false. */
  readonly resume?: boolean;
  /**
   * Whether an output with nothing of use, see `RunSummary.empty`, is accepted. If false, the next run into the folder replaces
   * such an output. Default: only an output without images is replaced.
   */
  readonly allowEmpty?: boolean;
  /**
   * With `resume`: if the file of a complete shard is missing or was changed, it and the later shards are written again.
   * Default false: that is an error.
   */
  readonly recomputeDamaged?: boolean;
  /** Removes an earlier run from the folder first; one that has produced nothing is always removed. Default false. */
  readonly overwrite?: boolean;
  /** Most records of the input in a shard. Default 1,000. */
  readonly shardRecords?: number;
  /** A shard also ends when one of its files reaches this size in bytes, uncompressed. Default: no limit. */
  readonly shardBytes?: number;
  /** Compresses shards with gzip. Default false. */
  readonly gzip?: boolean;
  /** Number of records that each stage processes at once, instead of the stage's own. It does not change the output. */
  readonly concurrency?: number;
  /**
   * Stops reading, finishes the records in flight and keeps everything for a resume. While the inputs are still being
   * checked, `run` rejects with its reason and keeps nothing.
   */
  readonly stop?: AbortSignal;
  /** Stops at once; records in flight are lost. */
  readonly signal?: AbortSignal;
  /** Called often with the progress of the run. */
  readonly onProgress?: (progress: RunProgress) => void;
}

/** Progress of a run. */
export interface RunProgress {
  readonly phase: 'checking' | SourceProgress['phase'] | 'finishing';
  /** Bytes while checking and reading; records after that. */
  readonly done: number;
  /** Null when it is unknown. */
  readonly total: number | null;
  /** Records of the input that are done, those of earlier processes included. */
  readonly records: number;
  readonly shards: number;
  readonly stages: Readonly<Record<string, StageLoad>>;
  /** Requests to models in this process, by stage; empty when there are none. */
  readonly usage: ModelUsage;
}

/** Result of a run. */
export interface RunResult {
  readonly folder: RunFolder;
  /** Null when the run was stopped before its end. */
  readonly manifest: Manifest | null;
  /** Records of the input that are done, those of earlier processes included. */
  readonly records: number;
  /** Loads of this process; those of earlier processes are not included. */
  readonly stages: Readonly<Record<string, StageLoad>>;
  /** Requests to models in this process; those of earlier processes are not included. */
  readonly usage: ModelUsage;
  readonly seconds: number;
  /** Images, relations and what went missing on the way; null when the run was stopped before its end. */
  readonly summary: RunSummary | null;
}

/** Reports the progress of the run. */
type Report = (progress: Pick<RunProgress, 'phase' | 'done' | 'total'>, writer?: ShardWriter) => void;

/**
 * Runs a graph and writes its output to a folder. Bad records go to the rejects; broken I/O ends the run, and everything
 * written so far is kept. The same inputs, options and version give the same bytes, whatever the concurrency and however
 * often the run was interrupted.
 *
 * @throws WiringError, OptionError, InputError or OutputError before any work; InputError or OutputError during it
 * @example
 * ```ts
 * import { coco, Graph, run } from 'relflow';
 *
 * const graph = new Graph('boxes');
 * graph
 *   .from(coco({ annotations: 'instances.json' }))
 *   .to({ name: 'boxes', version: '1', needs: ['detections'], line: ({ image, detections }) => ({ image, detections }) });
 * const { records, manifest } = await run(graph, { out: 'out', onProgress: ({ phase, done }) => console.log(phase, done) });
 * console.log(records, manifest?.files);
 * ```
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
      usage: reportedUsage(graph),
    });

  const state = await identifyRun(graph, options, AbortSignal.any([signal, stop]), (done, total) =>
    report({ phase: 'checking', done, total }),
  );
  // Before the lock is written: a folder that contains something else stays unchanged.
  await checkRunState(folder, state, resume, options.overwrite ?? false);
  const unlock = await lockFolder(folder.path, folder.lock);
  try {
    // Another process may have run here before this one held the lock.
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

/** Runs the graph in a folder that no other process writes to. */
async function runLocked(
  graph: Graph,
  folder: RunFolder,
  state: RunState,
  options: RunOptions & Required<Pick<RunOptions, 'signal' | 'stop'>>,
  metrics: StageMetrics,
  report: Report,
): Promise<RunResult> {
  await removeTemporaryFiles(folder, finisherFiles(state.graph));
  const earlier = await folder.manifest();
  if (earlier) {
    // The process that wrote the manifest may have ended before it had removed what only an unfinished run needs.
    await removeIntermediateFiles(folder);
    return {
      folder,
      manifest: earlier,
      records: earlier.records,
      stages: {},
      usage: {},
      seconds: metrics.seconds,
      summary: (await readReport(folder))?.summary ?? summarizeRun(earlier.graph, earlier.stages),
    };
  }

  const { signal, stop } = options;
  const writer = await ShardWriter.open(folder, state.sharding, options.recomputeDamaged ?? false, (done, total) => {
    signal.throwIfAborted();
    stop.throwIfAborted();
    report({ phase: 'checking', done, total });
  });
  const alreadyDone = writer.records;
  const observations = new RunObservations();
  let source: SourceProgress = { phase: 'reading', done: 0, total: null };
  try {
    const outcomes = execute(graph.nodes, {
      mode: 'all',
      wanted: (ordinal) => ordinal >= alreadyDone,
      signal,
      stop,
      tempDir: folder.internalPath('tmp', `run-${randomUUID()}`),
      concurrency: options.concurrency,
      metrics,
      observations,
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
    let summary: RunSummary | null = null;
    if (stop.aborted) {
      await writer.checkpoint();
      await writeReport(folder, graph, metrics);
    } else {
      report({ phase: 'finishing', done: 0, total: null }, writer);
      await writer.finish();
      const shards = await folder.shards();
      const finished = summarizeRun(state.graph, stagesOf(graph, shards), {
        observations,
        categories: await categoryCoverage(graph.nodes, observations.categories, signal),
      });
      await writeReport(folder, graph, metrics, { summary: finished, allowEmpty: options.allowEmpty });
      manifest = await wrapIoErrors(folder.path, () => writeManifest(graph, folder, state, shards, signal, stop));
      if (manifest) summary = finished;
    }
    return {
      folder,
      manifest,
      records: writer.records,
      stages: metrics.stages,
      usage: reportedUsage(graph),
      seconds: metrics.seconds,
      summary,
    };
  } catch (error) {
    // Later errors must not hide the first one.
    await writer.checkpoint().catch(() => {});
    report({ phase: 'records', done: writer.records, total: null }, writer);
    const code = error instanceof RelflowError ? error.code : undefined;
    await writeReport(folder, graph, metrics, { error: code }).catch(() => {});
    throw error;
  } finally {
    await writer.close();
    // Not if it has files of others.
    await rmdir(folder.internalPath('tmp')).catch(() => {});
  }
}
