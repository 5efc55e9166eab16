import { concatMap, defer, from, isObservable, map, mergeMap, type Observable, type OperatorFunction, of } from 'rxjs';
import { isThenable } from './is-thenable.js';

/**
 * Maps values like `mergeMap` with bounded concurrency, but emits results in the order of their inputs.
 *
 * @param project returns a value, a promise of one, or an Observable of one value per input
 * @param concurrency maximum number of inputs processed concurrently, at least 1
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { orderedMap } from 'relflow';
 * import { from } from 'rxjs';
 *
 * from(['a.txt', 'b.txt'])
 *   .pipe(orderedMap((file) => readFile(file, 'utf8'), 2))
 *   .subscribe((text) => console.log(text.length));
 * ```
 */
export function orderedMap<T, U>(
  project: (value: T, index: number) => U | PromiseLike<U> | Observable<U>,
  concurrency: number,
): OperatorFunction<T, U> {
  return (source) =>
    source.pipe(
      mergeMap(
        (value, index) => toObservable(() => project(value, index)).pipe(map((result) => ({ index, value: result }))),
        concurrency,
      ),
      inOrder((item) => item.index),
      map((item) => item.value),
    );
}

/** Delays each value until all values with a lower position have been emitted. Positions are 0, 1, 2… without gaps. */
export function inOrder<T>(position: (value: T) => number): OperatorFunction<T, T> {
  return (source) =>
    defer(() => {
      const waiting = new Map<number, T>();
      let next = 0;
      return source.pipe(
        concatMap((value) => {
          waiting.set(position(value), value);
          const ready: T[] = [];
          for (let head = waiting.get(next); head !== undefined; head = waiting.get(next)) {
            waiting.delete(next++);
            ready.push(head);
          }
          return ready;
        }),
      );
    });
}

/** Converts the result of a call, a value, promise or Observable, to an Observable; a synchronous throw becomes its error. */
export function toObservable<U>(answer: () => U | PromiseLike<U> | Observable<U>): Observable<U> {
  return defer(() => {
    const result = answer();
    if (isObservable(result)) return result;
    return isThenable(result) ? from(result) : of(result);
  });
}
