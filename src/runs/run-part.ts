import { randomUUID } from 'node:crypto';
import { OptionError } from '../errors.js';
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
import { usageOf } from './run-report.js';

export interface RunPartOptions extends Omit<RunOptions, 'resume' | 'overwrite' | 'shardBytes'> {
  /** Which part this process does, from 1. */
  readonly part: number;
  /** In how many parts the run is cut. */
  readonly parts: number;
}

/** How a part of a run ended. */
export interface RunPartResult {
  readonly folder: RunFolder;
  /** False where it was stopped before its end. */
  readonly finished: boolean;
  /** Records of the input that this process did. */
  readonly records: number;
  /** Shards that this process made whole. */
  readonly shards: number;
  /** Shards of the part that were whole already. */
  readonly skipped: number;
  readonly seconds: number;
}

/**
 * Does one part of a run: of every `parts` shards one. Other processes, on this machine or on others that share the
 * folder, do the other parts, at the same time or later, in any order; `finishRun` makes a run of them. A part that
 * was stopped or killed is begun again with the same call and does what is missing. Each process reads the whole input,
 * but keeps and works on its own records only. The bytes are those of `run`.
 *
 * @throws as `run` does, and OptionError where a part is out of range
 */
export async function runPart(graph: Graph, options: RunPartOptions): Promise<RunPartResult> {
  const { part, parts } = options;
  if (!Number.isInteger(parts) || parts < 1 || !Number.isInteger(part) || part < 1 || part > parts) {
    throw new OptionError('run', `part ${part} of ${parts}, expected one of 1 to ${parts}`);
  }
  checkRun(graph, options);
  const signal = options.signal ?? new AbortController().signal;
  const stop = options.stop ?? new AbortController().signal;
  const metrics = new StageMetrics();
  const folder = new RunFolder(options.out);
  let records = 0;
  let shards = 0;
  const report = (progress: SourceProgress | { phase: 'checking'; done: number; total: number }) =>
    options.onProgress?.({ ...progress, records, shards, stages: metrics.stages, usage: usageOf(graph) });

  const state = await identifyRun(graph, options, AbortSignal.any([signal, stop]), (done, total) =>
    report({ phase: 'checking', done, total }),
  );
  await joinRun(folder, state);
  const complete = await folder.completeShards();
  const layout = new ShardLayout(state.sharding);
  const isMine = (shard: number) => shard % parts === part - 1;
  const skipped = [...complete].filter(isMine).length;
  const finished = () => ({ folder, finished: true, records, shards, skipped, seconds: metrics.seconds });
  if (await folder.manifest()) return finished();

  let extent: number | null = null;
  let source: SourceProgress = { phase: 'reading', done: 0, total: null };
  let current: AtomicShard | null = null;
  const publish = async (shard: AtomicShard) => {
    if (await shard.publish()) shards++;
    current = null;
  };
  try {
    const outcomes = execute(graph.nodes, {
      mode: 'all',
      wanted: (ordinal) => {
        const shard = layout.shardOf(ordinal);
        return isMine(shard) && !complete.has(shard);
      },
      signal,
      stop,
      tempDir: folder.internalPathTo('tmp', `part-${randomUUID()}`),
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
      current ??= await AtomicShard.begin(folder, state.sharding, layout.shardOf(outcome.ordinal));
      await current.commit(outcomeLines(outcome));
      records++;
      if (current.records === layout.records) await publish(current);
      report({ phase: 'records', done: outcome.ordinal + 1, total: source.phase === 'records' ? source.total : null });
    }
    if (extent === null) return { ...finished(), finished: false };
    if (current) await publish(current);
    await writeExtent(folder, extent);
    return finished();
  } finally {
    await (current as AtomicShard | null)?.discard();
    await removeIntermediateFiles(folder);
  }
}
