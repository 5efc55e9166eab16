import { readFileSync } from 'node:fs';

/** The word lists of this folder, one word or two-word compound a line; made by `build-lexicon.ts`. */
export type WordList = 'nouns' | 'verbs' | 'adjectives' | 'compounds';
/** The hand-kept irregular forms, one `lemma form form…` a line. */
export type ExceptionList = 'noun-exceptions' | 'verb-exceptions';

const lists = new Map<WordList, ReadonlySet<string>>();
const exceptions = new Map<ExceptionList, ReadonlyMap<string, string>>();

/** @returns the lower-case words of a list; read on first use and kept */
export function wordList(name: WordList): ReadonlySet<string> {
  return remember(lists, name, () => new Set(lines(name)));
}

/** @returns irregular form → lemma; read on first use and kept */
export function exceptionList(name: ExceptionList): ReadonlyMap<string, string> {
  return remember(exceptions, name, () => {
    const lemmaOf = new Map<string, string>();
    for (const line of lines(name)) {
      const [lemma, ...forms] = line.split(' ');
      for (const form of forms) lemmaOf.set(form, lemma!);
    }
    return lemmaOf;
  });
}

function remember<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

const lines = (name: string) =>
  readFileSync(new URL(`${name}.txt`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
