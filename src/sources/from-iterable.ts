import type { Observable } from 'rxjs';
import { OptionError } from '../errors.js';
import type { ImageRecord } from '../records/image.js';
import type { Source, SourceContext, SourceItem } from '../records/ports.js';

/**
 * Makes a source of records that a program already has.
 *
 * An iterable is pulled on demand. An Observable has no back-pressure: records that it emits faster than the run
 * consumes them wait in an unbounded queue. Each reading subscribes to it anew, and its error ends the run.
 *
 * A source must yield the same records each time it is read, so the iterable must be repeatable, such as an array. A
 * generator object is not; it works for a single run that is never resumed.
 *
 * @param name the name of the source in manifests
 * @param adds the fields of the records, e.g. `['image', 'detections', 'origin']`
 * @throws OptionError if `records` is not an iterable, an async iterable or an Observable
 *
 * @example
 * ```ts
 * import { fromIterable, Graph, type ImageRecord } from 'relflow';
 *
 * const records: ImageRecord[] = [
 *   {
 *     image: { id: 1, file: '1.jpg', width: 640, height: 480, dataset: 'mine', split: '' },
 *     detections: [{ id: 1, category: 'dog', box: [10, 10, 100, 80] }],
 *     origin: { source: 'mine', file: '' },
 *   },
 * ];
 * new Graph('mine').from(fromIterable('mine', ['image', 'detections', 'origin'], records));
 * ```
 */
export function fromIterable<R extends ImageRecord>(
  name: string,
  adds: readonly (keyof R & string)[],
  records: Iterable<R> | AsyncIterable<R> | Observable<R>,
): Source<R> {
  const iterate = iteratorOf(name, records);
  return {
    name,
    version: '1',
    options: {},
    adds,
    files: async () => [],
    async *read(context: SourceContext): AsyncGenerator<SourceItem<R>, void, void> {
      const total = Array.isArray(records) ? records.length : null;
      let done = 0;
      for await (const record of iterate(context.signal)) {
        context.signal.throwIfAborted();
        yield { record };
        context.progress({ phase: 'records', done: ++done, total });
      }
    },
  };
}

function iteratorOf<R>(
  name: string,
  records: Iterable<R> | AsyncIterable<R> | Observable<R>,
): (signal: AbortSignal) => Iterable<R> | AsyncIterable<R> {
  if (typeof records !== 'object' || records === null) throw notRecords(name);
  if (Symbol.iterator in records || Symbol.asyncIterator in records) return () => records;
  if (typeof records.subscribe === 'function') return (signal) => emissions(records, signal);
  throw notRecords(name);
}

function notRecords(name: string): OptionError {
  return new OptionError(name, 'expected an iterable, an async iterable or an Observable');
}

/** Yields the records that an Observable emits. */
async function* emissions<R>(records: Observable<R>, signal: AbortSignal): AsyncGenerator<R, void, void> {
  const queue: R[] = [];
  let ended = false;
  let failure: { readonly error: unknown } | null = null;
  let wake = () => {};
  const abort = () => wake();
  const subscription = records.subscribe({
    next: (record) => {
      queue.push(record);
      wake();
    },
    error: (error: unknown) => {
      failure = { error };
      ended = true;
      wake();
    },
    complete: () => {
      ended = true;
      wake();
    },
  });
  signal.addEventListener('abort', abort);
  try {
    for (;;) {
      // All at once instead of by `shift`, whose time grows with the length of the queue.
      yield* queue.splice(0);
      signal.throwIfAborted();
      if (queue.length > 0) continue;
      if (failure) throw (failure as { error: unknown }).error;
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener('abort', abort);
    subscription.unsubscribe();
  }
}
