import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { OptionError } from '../errors.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { writeIfAbsent } from '../files/write-if-absent.js';
import { execute } from '../graph/engine/execute.js';
import { StageMetrics } from '../graph/engine/stage-metrics.js';
import { closeStages } from '../graph/engine/stream-records.js';
import type { Graph } from '../graph/graph.js';
import type { SourceProgress } from '../records/ports.js';
import { AtomicShard } from '../run-folder/atomic-shard.js';
import { RunFolder } from '../run-folder/run-folder.js';
import { removeIntermediateFiles } from './finish-run.js';
import { fingerprint, graphInputs } from './graph-inputs.js';
import { outcomeLines } from './outcome-lines.js';
import { joinRun, runStateOf } from './prepare-run.js';
import { checkRun, type RunOptions, usageOf } from './run.js';

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

  const ended = AbortSignal.any([signal, stop]);
  const inputs = await fingerprint(await graphInputs(graph), (done, total) => {
    report({ phase: 'checking', done, total });
    ended.throwIfAborted();
  });
  const state = runStateOf(graph, options, inputs);
  await joinRun(folder, state);
  const whole = await folder.completeShards();
  const perShard = state.sharding.records;
  const isMine = (shard: number) => shard % parts === part - 1;
  const skipped = [...whole].filter(isMine).length;
  const finished = () => ({ folder, finished: true, records, shards, skipped, seconds: metrics.seconds });
  if (await folder.manifest()) return finished();

  let extent: number | null = null;
  let source: SourceProgress = { phase: 'reading', done: 0, total: null };
  let current: AtomicShard | null = null;
  const publish = async (shard: AtomicShard) => {
    if (await shard.publish()) shards++;
    current = null;
  };
  const tempDir = folder.internalPathTo('tmp', `part-${randomUUID()}`);
  await wrapIoErrors(folder.path, () => mkdir(tempDir, { recursive: true }));
  try {
    const outcomes = execute(graph.nodes, {
      signal,
      stop,
      tempDir,
      metrics,
      ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
      wanted: (ordinal) => {
        const shard = Math.floor(ordinal / perShard);
        return isMine(shard) && !whole.has(shard);
      },
      onEnd: (total) => {
        extent = total;
      },
      onProgress: (progress) => {
        source = progress;
        if (progress.phase === 'reading') report(progress);
      },
    });
    for await (const outcome of outcomes) {
      const shard = Math.floor(outcome.ordinal / perShard);
      current ??= await AtomicShard.begin(folder, shard, shard * perShard, state.sharding.gzip);
      await current.commit(outcomeLines(outcome));
      records++;
      if (current.records === perShard) await publish(current);
      report({ phase: 'records', done: outcome.ordinal + 1, total: source.phase === 'records' ? source.total : null });
    }
    if (extent === null) return { ...finished(), finished: false };
    if (current) await publish(current);
    await publishExtent(folder, extent);
    return finished();
  } finally {
    await (current as AtomicShard | null)?.discard();
    await closeStages(graph.nodes);
    await rm(tempDir, { recursive: true, force: true });
    await removeIntermediateFiles(folder);
  }
}

/** Writes down how long the input is, for whoever finishes the run. */
export async function publishExtent(folder: RunFolder, records: number): Promise<void> {
  const text = `${JSON.stringify({ format: 'relflow.extent/1', records })}\n`;
  await wrapIoErrors(folder.path, () => writeIfAbsent(folder.internalPathTo('extent.json'), text));
}
