import { readFileSync } from 'node:fs';
import { memoize } from '../memoize.js';

/** A word list of this folder, one word per line; written by `scripts/build-lexicon.ts`. */
export type WordList = 'nouns' | 'people' | 'verbs' | 'adjectives';
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

let endings: ReadonlyMap<string, readonly string[]> | undefined;

/** Returns a map from the first word of compound nouns to their second words. The file is read on first use and kept in memory. */
export function compounds(): ReadonlyMap<string, readonly string[]> {
  if (endings) return endings;
  const found = new Map<string, string[]>();
  for (const line of lines('compounds')) {
    const blank = line.indexOf(' ');
    const first = line.slice(0, blank);
    const others = found.get(first);
    if (others) others.push(line.slice(blank + 1));
    else found.set(first, [line.slice(blank + 1)]);
  }
  endings = found;
  return endings;
}

const lines = (name: string) =>
  readFileSync(new URL(`${name}.txt`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
