import type { Node } from '../node.js';
import type { ExecuteOptions } from './execute-options.js';
import { InFlightLimit } from './in-flight-limit.js';
import { readSources, resumeWork } from './read-sources.js';
import type { Outcome } from './record-tracker.js';
import { ReorderBuffer } from './reorder-buffer.js';
import { concurrencyOf, StageRunner } from './stage-runner.js';

/**
 * Runs the nodes of a graph and yields what came of each record of its input, in the order of the input. Pull-based: no more than a
 * bounded number of records are between the sources and the consumer.
 *
 * Each stage is a Subject with a `mergeMap` of bounded concurrency, so records may overtake each other on the way; the
 * order is restored here.
 */
export async function* execute(
  nodes: readonly Node[],
  options: ExecuteOptions,
): AsyncGenerator<Outcome, void, undefined> {
  const buffer = new ReorderBuffer();
  const window = Math.max(32, 2 * nodes.reduce((sum, node) => sum + concurrencyOf(node, options), 0));
  const limit = new InFlightLimit(window);
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const runner = new StageRunner(
    nodes,
    { ...options, signal },
    (outcome) => buffer.add(outcome),
    (e) => buffer.fail(e),
  );
  const close = () => limit.close();
  const fail = () => buffer.fail(options.signal.reason);
  options.signal.throwIfAborted();
  options.signal.addEventListener('abort', fail);
  signal.addEventListener('abort', close);
  options.stop.addEventListener('abort', close);
  const pumped = (
    options.work
      ? resumeWork(options.work, runner, limit, options)
      : readSources(nodes, runner, limit, { ...options, signal })
  ).then(
    (total) => buffer.end(total),
    (error: unknown) => buffer.fail(error),
  );
  const { wanted = () => true } = options;
  try {
    for (let next = options.skip ?? 0; ; next++) {
      if (!wanted(next)) continue;
      const outcome = await buffer.take(next);
      if (!outcome) return;
      options.signal.throwIfAborted();
      yield outcome;
      limit.release();
    }
  } finally {
    options.signal.removeEventListener('abort', fail);
    ended.abort();
    // A source that does not listen must not hold up who wants to stop at once.
    if (!options.signal.aborted) await pumped;
    runner.close();
    options.stop.removeEventListener('abort', close);
  }
}
