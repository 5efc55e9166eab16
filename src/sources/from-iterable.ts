import type { Observable } from 'rxjs';
import { OptionError } from '../errors.js';
import type { ImageRecord } from '../records/image.js';
import type { Source, SourceContext, SourceItem } from '../records/ports.js';

/**
 * Records that a program has at hand as a source.
 *
 * An iterable is pulled from as the run goes. An Observable has no back-pressure: what it emits faster than the run
 * takes waits in a queue without bound. It is subscribed to at each reading, and its error ends the run.
 *
 * A source yields the same records each time it is read, so an iterable must be one that can be iterated again, such as
 * an array; a generator object can't, and works for a single run that is never resumed.
 *
 * @param name of the source in manifests
 * @param adds the fields of the records, e.g. `['image', 'detections', 'origin']`
 * @throws OptionError where `records` is neither of these
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

/** What an Observable emits, one by one. */
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
      // In one go and not by `shift`, which takes longer the longer the queue is.
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
