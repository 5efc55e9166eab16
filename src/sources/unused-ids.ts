import type { Id } from '../records/image.js';

/** Gives whole numbers from 0 for what lacks an id: those that none of an image's ids is. */
export function unusedIds(ids: readonly { readonly id: Id | null }[]): () => number {
  const taken = new Set(ids.map(({ id }) => id));
  let next = 0;
  return () => {
    while (taken.has(next)) next++;
    return next++;
  };
}
