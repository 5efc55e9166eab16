import { IdSet } from '../files/id-map.js';
import type { Id } from '../records/image.js';

/** Returns a function that returns, one after another, the whole numbers from 0 that are not among the given ids. */
export function unusedIds(ids: readonly { readonly id: Id | null }[]): () => number {
  let taken: IdSet | undefined;
  let next = 0;
  return () => {
    if (!taken) {
      taken = new IdSet();
      for (const { id } of ids) taken.add(id);
    }
    while (taken.has(next)) next++;
    return next++;
  };
}
