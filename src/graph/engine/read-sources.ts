import type { SourceProgress } from '../../records/ports.js';
import type { Node } from '../node.js';
import type { ExecuteOptions, ResolvedOptions } from './execute-options.js';
import type { InFlightLimit } from './in-flight-limit.js';
import type { StageRunner } from './stage-runner.js';

/**
 * Reads the sources one after another and starts each wanted item when the limit admits it.
 *
 * @returns the number of items read
 */
export async function readSources(
  nodes: readonly Node[],
  options: ResolvedOptions,
  runner: StageRunner,
  limit: InFlightLimit,
): Promise<number> {
  const { stop, tempDir, onProgress } = options;
  const signal = AbortSignal.any([options.signal, stop]);
  const wanted = 'wanted' in options ? options.wanted : () => true;
  const matches = options.mode === 'matching' ? options.matches : null;
  const yielder = new EventLoopYielder();
  let ordinal = 0;
  for (const node of nodes) {
    if (node.kind !== 'source') continue;
    const offset = ordinal;
    const context = {
      signal,
      tempDir,
      progress: progressWithOffset(offset, onProgress),
      // When items are left out, a source cannot know the position of its next one.
      ...(!matches && { wanted: (position: number) => wanted(offset + position) }),
    };
    try {
      for await (const item of node.source.read(context)) {
        if (matches?.(item) === false) continue;
        if (wanted(ordinal)) {
          if (!(await limit.acquire())) return ordinal;
          runner.start(node, item, ordinal);
        }
        ordinal++;
        await yielder.yield();
      }
    } catch (error) {
      if (stop.aborted && !options.signal.aborted) return ordinal;
      throw error;
    }
    if (signal.aborted) return ordinal;
  }
  if ('onEnd' in options) options.onEnd?.(ordinal);
  return ordinal;
}

/**
 * Resumes deferred records, each when the limit admits it.
 *
 * @returns the position after the last record
 */
export async function resumeWork(
  { items, first, rejection, beforeEach }: ResolvedOptions & { readonly mode: 'later-phase' },
  runner: StageRunner,
  limit: InFlightLimit,
): Promise<number> {
  const yielder = new EventLoopYielder();
  let next = first;
  for await (const item of items) {
    if (!(await limit.acquire())) return next;
    next = item.ordinal + 1;
    beforeEach?.(item);
    runner.resume(item, rejection?.(item) ?? null);
    await yielder.yield();
  }
  return next;
}

/** Gives timers and signals a turn when a loop never waits for input or output. */
class EventLoopYielder {
  #last = performance.now();

  /** Yields to the event loop when 20 ms have passed since the last time. */
  async yield(): Promise<void> {
    if (performance.now() - this.#last < 20) return;
    await new Promise(setImmediate);
    this.#last = performance.now();
  }
}

/** Returns a report of a source's progress that adds the number of records of the sources before it. */
function progressWithOffset(offset: number, report: ExecuteOptions['onProgress']): (progress: SourceProgress) => void {
  return ({ phase, done, total }) => {
    if (phase === 'reading') report?.({ phase, done, total });
    else report?.({ phase, done: offset + done, total: total === null ? null : offset + total });
  };
}
