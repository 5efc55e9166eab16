import type { Review } from '../../records/review.js';

/** Orders edits by time, and those of one moment by id: the same in every file and on every machine. */
export const inOrder = (a: Review, b: Review): number =>
  a.when < b.when ? -1 : a.when > b.when ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;

/** Returns the edits that hold, in order: those that no edit takes back that holds itself; without the undoing ones. */
export function activeEdits(edits: readonly Review[]): Review[] {
  const undone = undoneEdits(edits);
  return edits.filter(({ id, what }) => what.action !== 'undo' && !undone.has(id)).sort(inOrder);
}

/** Returns the ids of the edits that were taken back. */
export function undoneEdits(edits: readonly Review[]): ReadonlySet<string> {
  const undoing = new Map<string, string[]>();
  for (const { id, what } of edits)
    if (what.action === 'undo') undoing.set(what.edit, [...(undoing.get(what.edit) ?? []), id]);
  const known = new Map<string, boolean>();
  const isUndone = (id: string): boolean => {
    const found = known.get(id);
    if (found !== undefined) return found;
    // Edits that take each other back, which no page writes, both hold.
    known.set(id, false);
    const result = (undoing.get(id) ?? []).some((by) => !isUndone(by));
    known.set(id, result);
    return result;
  };
  return new Set(edits.map(({ id }) => id).filter(isUndone));
}
