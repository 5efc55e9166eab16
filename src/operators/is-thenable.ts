/** Checks for a promise, also one of another realm or library. */
export function isThenable<T>(answer: T | PromiseLike<T>): answer is PromiseLike<T> {
  return typeof (answer as Partial<PromiseLike<T>> | null | undefined)?.then === 'function';
}
