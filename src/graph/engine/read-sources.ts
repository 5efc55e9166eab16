import type { SourceProgress } from '../../records/ports.js';
import type { WorkItem } from '../../run-folder/work-item.js';
import type { Node } from '../node.js';
import type { ExecuteOptions } from './execute-options.js';
import type { InFlightLimit } from './in-flight-limit.js';
import type { StageRunner } from './stage-runner.js';

/** Reads the sources one after another, as far as there is room. Resolves to the number of records. */
export async function readSources(
  nodes: readonly Node[],
  runner: StageRunner,
  limit: InFlightLimit,
  options: ExecuteOptions,
): Promise<number> {
  const signal = AbortSignal.any([options.signal, options.stop]);
  const { skip = 0, wanted = () => true } = options;
  const breath = new EventLoopYielder();
  let ordinal = 0;
  for (const node of nodes) {
    if (node.kind !== 'source') continue;
    const before = ordinal;
    const context = {
      signal,
      tempDir: options.tempDir,
      progress: progressWithOffset(ordinal, options.onProgress),
      // With records left out, no source can say which position its next one has.
      ...(!options.only && {
        wanted: (position: number) => before + position >= skip && wanted(before + position),
      }),
    };
    try {
      for await (const item of node.source.read(context)) {
        if (options.only?.(item) === false) continue;
        if (ordinal >= skip && wanted(ordinal)) {
          if (!(await limit.acquire())) return ordinal;
          runner.start(node, item, ordinal);
        }
        ordinal++;
        await breath.take();
      }
    } catch (error) {
      if (options.stop.aborted && !options.signal.aborted) return ordinal;
      throw error;
    }
    if (signal.aborted) return ordinal;
  }
  options.onEnd?.(ordinal);
  return ordinal;
}

/** Takes up what earlier phases left, as far as there is room. Resolves to the position after the last record. */
export async function resumeWork(
  work: AsyncIterable<WorkItem>,
  runner: StageRunner,
  limit: InFlightLimit,
  { skip = 0 }: ExecuteOptions,
): Promise<number> {
  const breath = new EventLoopYielder();
  let next = skip;
  for await (const item of work) {
    if (!(await limit.acquire())) return next;
    next = item.ordinal + 1;
    runner.resume(item);
    await breath.take();
  }
  return next;
}

/** Where nothing waits for a disk, timers and signals would never get a turn. */
class EventLoopYielder {
  #last = performance.now();

  /** To be awaited between records. */
  async take(): Promise<void> {
    if (performance.now() - this.#last < 20) return;
    await new Promise(setImmediate);
    this.#last = performance.now();
  }
}

/** Progress of a source that comes after so many records of others. */
function progressWithOffset(before: number, report: ExecuteOptions['onProgress']): (progress: SourceProgress) => void {
  return ({ phase, done, total }) => {
    if (phase === 'reading') report?.({ phase, done, total });
    else report?.({ phase, done: before + done, total: total === null ? null : before + total });
  };
}
