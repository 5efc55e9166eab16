import type { RelationRef } from '../../view-api.js';
import { escapePattern } from '../escape-pattern.js';

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
      const at = name === '' ? -1 : placeOf(name, caption.text, part !== 'predicate');
      if (at >= 0) return [{ start: at, end: at + name.length, part }];
    }
    return [];
  });
  // Overlapping words are lit once.
  const sorted = found.sort((a, b) => a.start - b.start);
  return sorted.filter(({ start }, index) => index === 0 || start >= sorted[index - 1]!.end);
}

/** Finds whole words; of a category also the start of a word, as in `umbrellas`, or else a part of one, as in `hotdog`. */
function placeOf(name: string, text: string, isCategory: boolean): number {
  const escaped = escapePattern(name);
  const [before, after] = ['(?<![\\p{L}\\p{N}])', '(?![\\p{L}\\p{N}])'];
  const forms = [before + escaped + after, ...(isCategory ? [before + escaped, escaped] : [])];
  return forms.map((form) => text.search(new RegExp(form, 'iu'))).find((at) => at >= 0) ?? -1;
}
