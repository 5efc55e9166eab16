import { randomUUID } from 'node:crypto';
import { OptionError } from '../errors.js';
import { withCleanup } from '../files/with-cleanup.js';
import { execute } from '../graph/engine/execute.js';
import { StageMetrics } from '../graph/engine/stage-metrics.js';
import type { Graph } from '../graph/graph.js';
import type { SourceProgress } from '../records/ports.js';
import { AtomicShard } from '../run-folder/atomic-shard.js';
import { RunFolder } from '../run-folder/run-folder.js';
import { ShardLayout } from '../run-folder/shard-layout.js';
import { writeExtent } from '../run-folder/write-extent.js';
import { removeIntermediateFiles } from './finish-run.js';
import { outcomeLines } from './outcome-lines.js';
import { identifyRun, joinRun } from './prepare-run.js';
import { checkRun, type RunOptions } from './run.js';
import { reportedUsage } from './run-report.js';

/** Options of `runPart`. */
export interface RunPartOptions
  extends Omit<RunOptions, 'resume' | 'recomputeDamaged' | 'overwrite' | 'allowEmpty' | 'shardBytes'> {
  /** Number of the part that this process handles, from 1. */
  readonly part: number;
  /** Number of parts of the run. */
  readonly parts: number;
}

/** Result of a part of a run. */
export interface RunPartResult {
  readonly folder: RunFolder;
  /** False when it was stopped before its end. */
  readonly finished: boolean;
  /** Records of the input that this process has processed. */
  readonly records: number;
  /** Shards that this process has completed. */
  readonly shards: number;
  /** Shards of the part that were already complete. */
  readonly skipped: number;
  readonly seconds: number;
}

/**
 * Runs one part of a run: one of every `parts` shards. Other processes, on this machine or on others that share the
 * folder, run the other parts, at the same time or later, in any order; then `finishRun` finishes the run. After a stop
 * or a kill, the same call completes the missing shards. Each process reads the whole input but processes only its own
 * records. The output has the same bytes as that of `run`.
 *
 * @throws OptionError when the part is out of range; otherwise as `run` does
 * @example
 * ```ts
 * import { Graph, runPart, sceneGraphLines, sceneGraphs } from 'relflow';
 *
 * const graph = new Graph('copy');
 * graph.from(sceneGraphLines({ sceneGraphs: 'graphs.jsonl' })).to(sceneGraphs());
 * await runPart(graph, { out: '/shared/out', part: Number(process.env['SLURM_ARRAY_TASK_ID']), parts: 32 });
 * ```
 */
export async function runPart(graph: Graph, options: RunPartOptions): Promise<RunPartResult> {
  const { part, parts } = options;
  if (!Number.isInteger(parts) || parts < 1 || !Number.isInteger(part) || part < 1 || part > parts) {
    throw new OptionError(
      'run',
      `part ${part} of ${parts}, expected whole numbers of at least 1, and a part of at most ${parts}`,
    );
  }
  checkRun(graph, options);
  const signal = options.signal ?? new AbortController().signal;
  const stop = options.stop ?? new AbortController().signal;
  const metrics = new StageMetrics();
  const folder = new RunFolder(options.out);
  let records = 0;
  let shards = 0;
  const report = (progress: SourceProgress | { phase: 'checking'; done: number; total: number }) =>
    options.onProgress?.({ ...progress, records, shards, stages: metrics.stages, usage: reportedUsage(graph) });

  const state = await identifyRun(graph, options, AbortSignal.any([signal, stop]), (done, total) =>
    report({ phase: 'checking', done, total }),
  );
  await joinRun(folder, state);
  const complete = await folder.completeShards();
  const layout = new ShardLayout(state.sharding);
  const isMine = (shard: number) => shard % parts === part - 1;
  const skipped = [...complete].filter(isMine).length;
  const result = () => ({ folder, finished: true, records, shards, skipped, seconds: metrics.seconds });
  if (await folder.manifest()) return result();

  let extent: number | null = null;
  let source: SourceProgress = { phase: 'reading', done: 0, total: null };
  let current: AtomicShard | null = null;
  const publish = async (shard: AtomicShard) => {
    if (await shard.publish()) shards++;
    current = null;
  };
  const work = async () => {
    const outcomes = execute(graph.nodes, {
      mode: 'all',
      wanted: (ordinal) => {
        const shard = layout.shardOf(ordinal);
        return isMine(shard) && !complete.has(shard);
      },
      signal,
      stop,
      tempDir: folder.internalPath('tmp', `part-${randomUUID()}`),
      concurrency: options.concurrency,
      metrics,
      onEnd: (total) => {
        extent = total;
      },
      onProgress: (progress) => {
        source = progress;
        if (progress.phase === 'reading') report(progress);
      },
    });
    for await (const outcome of outcomes) {
      current ??= await AtomicShard.create(folder, state.sharding, layout.shardOf(outcome.ordinal));
      await current.commit(outcomeLines(outcome));
      records++;
      if (current.records === layout.records) await publish(current);
      report({ phase: 'records', done: outcome.ordinal + 1, total: source.phase === 'records' ? source.total : null });
    }
    if (extent === null) return { ...result(), finished: false };
    if (current) await publish(current);
    await writeExtent(folder, extent);
    return result();
  };
  const untilFinished = async () => {
    try {
      return await work();
    } catch (error) {
      // Other processes finished the run meanwhile, and removed the files that this one was writing.
      if (signal.aborted || !(await folder.isFinished())) throw error;
      return result();
    }
  };
  return withCleanup(untilFinished, async () => {
    await current?.discard();
    await removeIntermediateFiles(folder);
  });
}
