import { readFileSync } from 'node:fs';
import { memoize } from '../memoize.js';

/** The word lists of this folder, one word or two-word compound a line; made by `build-lexicon.ts`. */
export type WordList = 'nouns' | 'verbs' | 'adjectives' | 'compounds';
/** The hand-kept irregular forms, one `lemma form form…` a line. */
export type ExceptionList = 'noun-exceptions' | 'verb-exceptions';

/** @returns the lower-case words of a list; read on first use and kept */
export const wordList: (name: WordList) => ReadonlySet<string> = memoize(
  Number.POSITIVE_INFINITY,
  (name) => new Set(lines(name)),
);

/** @returns irregular form → lemma; read on first use and kept */
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
