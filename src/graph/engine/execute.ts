import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../files/make-folder.js';
import { wrapIoErrors } from '../../files/wrap-io-errors.js';
import type { Node } from '../node.js';
import { closeStages } from './close-stages.js';
import type { ExecuteOptions, ResolvedOptions } from './execute-options.js';
import { InFlightLimit } from './in-flight-limit.js';
import { readSources, resumeWork } from './read-sources.js';
import type { Outcome } from './record-tracker.js';
import { ReorderBuffer } from './reorder-buffer.js';
import { stageConcurrency } from './stage-concurrency.js';
import { StageRunner } from './stage-runner.js';

/**
 * Runs the nodes of a graph and yields the outcome of each record of its input, in the order of the input. Pull-based:
 * the number of records between the sources and the consumer is bounded. However the iteration ends, it then closes the
 * stages and removes the temporary folder.
 */
export async function* execute(nodes: readonly Node[], options: ExecuteOptions): AsyncGenerator<Outcome, void> {
  const { signal = new AbortController().signal, stop = new AbortController().signal } = options;
  const tempDir = await makeTempDir(options.tempDir);
  try {
    signal.throwIfAborted();
    yield* processRecords(nodes, { ...options, signal, stop, tempDir });
  } finally {
    if (!options.keepStagesOpen) await closeStages(nodes);
    // A source that ignores the signal may still be writing there.
    await rm(tempDir, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Stages let records overtake each other; the buffer restores their order. */
async function* processRecords(nodes: readonly Node[], options: ResolvedOptions): AsyncGenerator<Outcome, void> {
  const { signal, stop } = options;
  const ended = new AbortController();
  const execution = { ...options, signal: AbortSignal.any([signal, ended.signal]) };
  const buffer = new ReorderBuffer();
  const limit = new InFlightLimit(maxInFlight(nodes, options));
  const fail = (error: unknown) => buffer.fail(error);
  const runner = new StageRunner(nodes, execution, (outcome) => buffer.add(outcome), fail);
  const failWithReason = () => buffer.fail(signal.reason);
  const closeLimit = () => limit.close();
  signal.addEventListener('abort', failWithReason);
  execution.signal.addEventListener('abort', closeLimit);
  stop.addEventListener('abort', closeLimit);
  const reading = (
    execution.mode === 'later-phase'
      ? resumeWork(execution, runner, limit)
      : readSources(nodes, execution, runner, limit)
  ).then((total) => buffer.end(total), fail);
  const wanted = 'wanted' in options ? options.wanted : () => true;
  try {
    for (let next = options.mode === 'later-phase' ? options.first : 0; ; next++) {
      if (!wanted(next)) continue;
      const outcome = await buffer.take(next);
      if (!outcome) return;
      signal.throwIfAborted();
      yield outcome;
      limit.release();
    }
  } finally {
    signal.removeEventListener('abort', failWithReason);
    ended.abort();
    // A source that ignores the signal does not delay the end.
    if (!signal.aborted) await reading;
    runner.close();
    stop.removeEventListener('abort', closeLimit);
  }
}

/** Number of records in flight that keeps every stage busy. */
function maxInFlight(nodes: readonly Node[], options: ResolvedOptions): number {
  if (options.mode === 'later-phase' && options.beforeEach) return 1;
  return Math.max(32, 2 * nodes.reduce((sum, node) => sum + stageConcurrency(node, options), 0));
}

async function makeTempDir(path: string | undefined): Promise<string> {
  if (path === undefined) return mkdtemp(join(tmpdir(), 'relflow-'));
  await wrapIoErrors(path, () => makeFolder(path));
  return path;
}
