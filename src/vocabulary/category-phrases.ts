import { memoize } from '../parser/language/memoize.js';
import { extraSynonyms } from './built-in-list.js';
import { nameKeys, nameVariants, singularKey } from './category-names.js';
import { preferredLists } from './category-words.js';
import { phraseWords } from './phrase-words.js';

/** A part of a caption, by UTF-16 offsets. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** Finds the names of categories that a caption writes in several words: `hi vis vest`, or `fork lift` for `forklift`. */
export type PhraseFinder = (text: string) => readonly TextRange[];

/** Longest category name in words that is looked for in captions. */
const MAX_WORDS = 4;

/**
 * Returns a function that finds the names of the categories of no built-in list in captions. The parsers know the compounds of
 * the built-in lists, but not these.
 */
export function categoryPhrases(categories: readonly string[]): PhraseFinder {
  const lists = preferredLists(categories);
  const own = categories.filter((category) => lists.every(({ categoryOf }) => categoryOf(category) === undefined));
  const names = own.flatMap((category) => [
    category,
    ...nameKeys(category).flatMap((key) => extraSynonyms().get(key) ?? []),
  ]);
  const keys = new Set(names.flatMap((name) => nameVariants(name).map(singularKey)));
  keys.delete('');
  if (keys.size === 0) return () => [];
  return memoize(2_000, (text) => findPhrases(text, keys));
}

function findPhrases(text: string, keys: ReadonlySet<string>): TextRange[] {
  const words = [...text.matchAll(/[\p{L}\p{N}'’]+/gu)].map(({ 0: word, index }) => ({
    start: index,
    end: index + word.length,
  }));
  const found: TextRange[] = [];
  for (let first = 0; first < words.length; first++) {
    for (let last = Math.min(first + MAX_WORDS, words.length) - 1; last > first; last--) {
      const range = { start: words[first]!.start, end: words[last]!.end };
      const phrase = text.slice(range.start, range.end);
      if (!/^[\p{L}\p{N}'’ _-]*$/u.test(phrase) || !keys.has(singularKey(phraseWords(phrase)))) continue;
      found.push(range);
      first = last;
      break;
    }
  }
  return found;
}
