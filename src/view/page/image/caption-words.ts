import type { RelationRef } from '../../view-api.js';

/** Words of a caption that are lit, by UTF-16 offsets. */
interface LitWords {
  readonly start: number;
  readonly end: number;
  readonly part: 'subject' | 'predicate' | 'object';
}

/**
 * Returns the words of a caption that state a relation: those that equal the predicate and the categories, or the last word of
 * a category. A run does not keep the places at which its parser found them.
 */
export function litWords(
  caption: { readonly text: string; readonly index: number },
  relation: { readonly captions: readonly number[] } & Pick<RelationRef, 'predicate'>,
  categories: { readonly subject: string; readonly object: string },
): readonly LitWords[] {
  if (!relation.captions.includes(caption.index)) return [];
  const parts = [
    ['subject', categories.subject],
    ['predicate', relation.predicate],
    ['object', categories.object],
  ] as const;
  const found = parts.flatMap(([part, words]) => {
    // A caption may say `table` for the category `dining table`.
    for (const name of part === 'predicate' ? [words] : [words, words.slice(words.lastIndexOf(' ') + 1)]) {
      const at = name === '' ? -1 : caption.text.toLowerCase().indexOf(name.toLowerCase());
      if (at >= 0) return [{ start: at, end: at + name.length, part }];
    }
    return [];
  });
  // Overlapping words are lit once.
  const sorted = found.sort((a, b) => a.start - b.start);
  return sorted.filter(({ start }, index) => index === 0 || start >= sorted[index - 1]!.end);
}
