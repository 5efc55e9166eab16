import type { ImageRelation, RelationWords } from '../../view-api.js';

/** Words of a caption that are lit, by UTF-16 offsets. */
export interface LitWords {
  readonly start: number;
  readonly end: number;
  readonly part: RelationWords['part'];
}

/**
 * Returns the words of a caption that state a relation: those that the server names, or where it does not know, the words of
 * the caption that equal the categories and the predicate.
 */
export function litWords(
  caption: { readonly text: string; readonly index: number },
  relation: { readonly index: number; readonly captions: readonly number[] } & Pick<ImageRelation, 'predicate'>,
  categories: { readonly subject: string; readonly object: string },
  known: readonly RelationWords[] | undefined,
): readonly LitWords[] {
  if (!relation.captions.includes(caption.index)) return [];
  const named = known?.filter((words) => words.relation === relation.index && words.caption === caption.index) ?? [];
  const parts = [
    ['subject', categories.subject],
    ['predicate', relation.predicate],
    ['object', categories.object],
  ] as const;
  const found =
    named.length > 0
      ? named.map(({ start, end, part }) => ({ start, end, part }))
      : parts.flatMap(([part, words]) => {
          // A caption may say `table` for the category `dining table`.
          for (const name of part === 'predicate' ? [words] : [words, words.slice(words.lastIndexOf(' ') + 1)]) {
            const at = name === '' ? -1 : caption.text.toLowerCase().indexOf(name.toLowerCase());
            if (at >= 0) return [{ start: at, end: at + name.length, part }];
          }
          return [];
        });
  // Overlapping words are lit once.
  const sorted = found.sort((a, b) => a.start - b.start);
  return sorted.filter(({ start, end }, index) => end > start && (index === 0 || start >= sorted[index - 1]!.end));
}
