import { editDistance, maxTypos } from '../parser/language/edit-distance.js';

/** Returns the known name that a misspelled one most likely means; undefined if none is close. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const found = known.map((other) => ({ other, edits: editDistance(letters(name), letters(other)) }));
  const [nearest] = found.sort((a, b) => a.edits - b.edits);
  return nearest && nearest.edits <= maxTypos(nearest.other.length) ? nearest.other : undefined;
}

/** Keeps letters and digits, in lower case: `max-pairs` means `maxPairs`. */
const letters = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** Returns a hint for a message, such as ` (did you mean 'coco'?)`; empty if no known name is close. */
export function didYouMean(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : ` (did you mean '${nearest}'?)`;
}
