import { concatMap, defer, from, isObservable, map, mergeMap, type Observable, type OperatorFunction, of } from 'rxjs';

/**
 * Like `mergeMap` with a bound on how many run at once, but results leave in the order of their inputs.
 *
 * @param project may answer at once, later, or with any number of values as an Observable
 * @param concurrency how many inputs are worked on at once, at least 1
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

/** Holds values back until all with a lower position have passed. Positions are 0, 1, 2… without gaps. */
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

/** One answer, given now, later or as an Observable, as an Observable; a synchronous throw is its error. */
export function toObservable<U>(answer: () => U | PromiseLike<U> | Observable<U>): Observable<U> {
  return defer(() => {
    const result = answer();
    if (isObservable(result)) return result;
    return isThenable(result) ? from(result) : of(result);
  });
}

/** Whether an answer is yet to come; promises may be of another realm or library than this one's. */
export function isThenable<T>(answer: T | PromiseLike<T>): answer is PromiseLike<T> {
  return typeof (answer as Partial<PromiseLike<T>> | null | undefined)?.then === 'function';
}
