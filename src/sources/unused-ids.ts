import type { Id } from '../records/image.js';

/** Returns a function that returns, one after another, the whole numbers from 0 that are not among the given ids. */
export function unusedIds(ids: readonly { readonly id: Id | null }[]): () => number {
  const taken = new Set(ids.map(({ id }) => id));
  let next = 0;
  return () => {
    while (taken.has(next)) next++;
    return next++;
  };
}
