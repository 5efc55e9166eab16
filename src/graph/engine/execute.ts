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
  const hall = new ReorderBuffer();
  const window = Math.max(32, 2 * nodes.reduce((sum, node) => sum + concurrencyOf(node, options), 0));
  const gate = new InFlightLimit(window);
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const network = new StageRunner(
    nodes,
    { ...options, signal },
    (outcome) => hall.arrive(outcome),
    (e) => hall.fail(e),
  );
  const close = () => gate.close();
  const fail = () => hall.fail(options.signal.reason);
  options.signal.throwIfAborted();
  options.signal.addEventListener('abort', fail);
  signal.addEventListener('abort', close);
  options.stop.addEventListener('abort', close);
  const pumped = (
    options.work
      ? resumeWork(options.work, network, gate, options)
      : readSources(nodes, network, gate, { ...options, signal })
  ).then(
    (total) => hall.close(total),
    (error: unknown) => hall.fail(error),
  );
  const { wanted = () => true } = options;
  try {
    for (let next = options.skip ?? 0; ; next++) {
      if (!wanted(next)) continue;
      const outcome = await hall.take(next);
      if (!outcome) return;
      options.signal.throwIfAborted();
      yield outcome;
      gate.leave();
    }
  } finally {
    options.signal.removeEventListener('abort', fail);
    ended.abort();
    // A source that does not listen must not hold up who wants to stop at once.
    if (!options.signal.aborted) await pumped;
    network.close();
    options.stop.removeEventListener('abort', close);
  }
}
