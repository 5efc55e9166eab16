import { readFileSync } from 'node:fs';
import { memoize } from '../memoize.js';

/** A word list of this folder, one word or two-word compound per line; written by `scripts/build-lexicon.ts`. */
export type WordList = 'nouns' | 'people' | 'verbs' | 'adjectives' | 'compounds';
/** A list of irregular forms, edited by hand, one `lemma form form…` per line. */
export type ExceptionList = 'noun-exceptions' | 'verb-exceptions';

/** Returns the lower-case words of a list. The file is read on first use and kept in memory. */
export const wordList: (name: WordList) => ReadonlySet<string> = memoize(
  Number.POSITIVE_INFINITY,
  (name) => new Set(lines(name)),
);

/** Returns a map from irregular form to lemma. The file is read on first use and kept in memory. */
export const exceptionList: (name: ExceptionList) => ReadonlyMap<string, string> = memoize(
  Number.POSITIVE_INFINITY,
  (name) => {
    const lemmaOf = new Map<string, string>();
    for (const line of lines(name)) {
      const [lemma, ...forms] = line.split(' ');
      for (const form of forms) lemmaOf.set(form, lemma!);
    }
    return lemmaOf;
  },
);

const lines = (name: string) =>
  readFileSync(new URL(`${name}.txt`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
