import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { memoize } from '../parser/language/memoize.js';
import { objects365Categories } from './categories.js';
import { joinedWords, nameKeys, singularKey } from './category-names.js';
import { phraseWords } from './phrase-words.js';
import { loadVocabulary } from './vocabulary.js';

/** The built-in vocabularies. */
export type BuiltInName = 'coco80' | 'objects365';

/** Names that other data sets use for the categories of the built-in lists, and words of common other categories. */
interface UsualNames {
  readonly coco80: Readonly<Record<string, readonly string[]>>;
  readonly objects365: Readonly<Record<string, readonly string[]>>;
  /** Category of no built-in list → words that WordNet lacks. */
  readonly synonyms: Readonly<Record<string, readonly string[]>>;
  /** Words of the lists that mean something else in most captions; only compat takes them: for a `hand`, a person. */
  readonly retracted: readonly string[];
  /** Words so general that what is more specific does not count as them. */
  readonly vague: readonly string[];
}

const usualNames = memoize(
  1,
  (file: string): UsualNames => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')),
);
const read = () => usualNames('usual-names.json');

/** A built-in vocabulary, indexed by joined words. */
export interface BuiltInList {
  /** Joined word → the categories that list it: first the one with this name, then in the vocabulary's order. */
  readonly owners: ReadonlyMap<string, readonly string[]>;
  /** Returns the category that a data set's category name stands for, or undefined. */
  readonly categoryOf: (name: string) => string | undefined;
}

/** Returns a built-in list, which is read on first use. */
export const builtInList: (name: BuiltInName) => BuiltInList = memoize(2, (given) => {
  const name = given as BuiltInName;
  const { synonyms } = loadVocabulary(name);
  const keys = new Map<string, string>();
  const add = (word: string, category: string) => {
    // Not the parts of `cabinet/shelf`: its words are not those of a shelf alone.
    for (const key of [joinedWords(word), singularKey(phraseWords(word))]) if (!keys.has(key)) keys.set(key, category);
  };
  for (const category of synonyms.keys()) keys.set(joinedWords(category), category);
  for (const category of synonyms.keys()) add(category, category);
  for (const [category, words] of Object.entries(read()[name])) for (const word of words) add(word, category);
  if (name === 'objects365') for (const { official, name: category } of objects365Categories) add(official, category);
  const owners = wordOwners(synonyms);
  for (const word of read().retracted) owners.delete(joinedWords(word));
  return {
    owners,
    categoryOf: memoize(20_000, (written: string) => {
      const key = nameKeys(written).find((known) => keys.has(known));
      return key === undefined ? undefined : keys.get(key);
    }),
  };
});

/** Indexes a vocabulary by joined words. */
export function wordOwners(synonyms: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [category, words] of synonyms)
    for (const word of new Set([category, ...words].map(joinedWords)))
      if (word !== '') found.set(word, [...(found.get(word) ?? []), category]);
  for (const category of synonyms.keys()) {
    const owners = found.get(joinedWords(category));
    if (owners) owners.unshift(...owners.splice(owners.indexOf(category), 1));
  }
  return found;
}

/** Joined name of a category of no built-in list → more words for it. Any of its words may be the category's name. */
export const extraSynonyms: () => ReadonlyMap<string, readonly string[]> = () => extras('');
const extras = memoize(1, () => {
  const found = new Map<string, readonly string[]>();
  for (const [category, words] of Object.entries(read().synonyms))
    for (const word of [category, ...words.filter((other) => other.includes(' '))])
      for (const key of nameKeys(word)) if (!found.has(key)) found.set(key, [category, ...words]);
  return found;
});

/** Words so general that what is more specific does not count as them. */
export const vagueWords: () => ReadonlySet<string> = () => vague('');
const vague = memoize(1, () => new Set(read().vague));

/** Returns a digest of all the words that the package has for categories: those of the lists, of WordNet and the misnomers. */
export const builtInDigest = (): string => wordDigest('');
const wordDigest = memoize(1, () => {
  const hash = createHash('sha256');
  for (const file of ['coco80.json', 'objects365.json', 'usual-names.json', 'misnomers.txt', 'noun-hierarchy.txt.br'])
    hash.update(readFileSync(new URL(file, import.meta.url)));
  return hash.digest('hex').slice(0, 12);
});
