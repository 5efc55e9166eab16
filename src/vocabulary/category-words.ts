import { isNoun, nounLemma } from '../parser/language/lemma.js';
import { type BuiltInList, type BuiltInName, builtInList, extraSynonyms, wordOwners } from './built-in-list.js';
import { joinedWords, nameKeys, nameVariants, singularKey } from './category-names.js';
import { KindIndex } from './kind-index.js';
import { phraseWords } from './phrase-words.js';
import type { Vocabulary } from './vocabulary.js';

/** The categories that list a word. */
export interface WordOwners {
  /** The first that an image shows decides. */
  readonly owners: readonly string[];
  /** Whether the word is the name of a category or a word of the given vocabulary. */
  readonly isName: boolean;
  /** Whether it is a word that the package adds to the name of a category that no built-in list has. */
  readonly isExtra: boolean;
  /** Whether a built-in list decided. */
  readonly isBuiltIn: boolean;
  /** Whether the owners are categories of a built-in list that the data set does not have. */
  readonly isOther: boolean;
}

/** The words that name the categories of a data set. */
export interface CategoryWords {
  /** Returns the categories that list a word, given as joined words. */
  readonly listed: (joined: string) => WordOwners | undefined;
  /** Finds categories of no built-in list by WordNet; omitted when there are none. */
  readonly kinds?: KindIndex;
  /** Last word of a category's name, in the singular → the only category with it. */
  readonly heads?: ReadonlyMap<string, string>;
}

/** Options of `categoryWords`. */
export interface CategoryWordsOptions {
  /** More words for the categories; its keys may be spelled differently. */
  readonly vocabulary?: Vocabulary | undefined;
  /** Uses the names and the vocabulary alone. Default false. */
  readonly only?: boolean;
}

const listNames: readonly BuiltInName[] = ['coco80', 'objects365'];

/**
 * Returns the words that name the categories of a data set:
 *
 * - each category's name in any spelling (see `nameVariants`), and the words of the given vocabulary;
 * - the words of a built-in list for a category that the list has under any of its usual names. Of two lists the one that has
 *   more of the categories is preferred. A word of another category of the list names nothing: a hot dog is not a dog;
 * - for other categories WordNet's synonyms and kinds (see `KindIndex`), and the last word of the name if no other category
 *   has it and WordNet does not contradict.
 *
 * In LVIS `baby` is the category of all people.
 *
 * @param categories the names as written in the data set
 */
export function categoryWords(categories: readonly string[], options: CategoryWordsOptions = {}): CategoryWords {
  const { vocabulary, only = false } = options;
  const given = vocabulary && !isBuiltIn(vocabulary.name) ? vocabulary : undefined;
  const lists = preferredLists(categories, vocabulary?.name).slice(0, !only ? 2 : given || !vocabulary ? 0 : 1);
  const names = new Map<string, string[]>();
  const add = (key: string, category: string) => {
    const owners = names.get(key);
    if (!owners) names.set(key, [category]);
    else if (!owners.includes(category)) owners.push(category);
  };
  const builtIn = new Map<string, readonly [list: BuiltInList, name: string]>();
  for (const category of categories) {
    const list = lists.find(({ categoryOf }) => categoryOf(category) !== undefined);
    if (list) builtIn.set(category, [list, list.categoryOf(category)!]);
  }
  const people = lvisPeople(categories);
  if (people !== undefined && lists[0] && !builtIn.has(people))
    builtIn.set(people, [lists[0], lists[0].categoryOf('person')!]);
  const own = categories.filter((category) => !builtIn.has(category));
  // A whole name precedes a part of another.
  for (const category of categories) add(joinedWords(category), category);
  for (const category of own) for (const key of nameKeys(category)) add(key, category);
  const others = given ? addVocabulary(given, categories, add) : new Map<string, string[]>();
  names.delete('');

  const setNames = new Map<BuiltInList, Map<string, string[]>>();
  for (const [category, [list, name]] of builtIn) {
    const ofList = setNames.get(list) ?? new Map<string, string[]>();
    setNames.set(list, ofList.set(name, [...(ofList.get(name) ?? []), category]));
  }
  const extras = only ? new Map<string, string[]>() : extraWords(own);
  const listed = (key: string): WordOwners | undefined => {
    const named = names.get(key) ?? [];
    const words = extras.get(key) ?? [];
    const fromLists: string[] = [];
    const absent: string[] = [...(others.get(key) ?? [])];
    for (const [list, ofList] of setNames)
      for (const name of list.owners.get(key) ?? []) {
        const written = ofList.get(name);
        if (written) fromLists.push(...written);
        else absent.push(name);
      }
    const owners = [...new Set([...named, ...words, ...fromLists])];
    if (owners.length > 0)
      return {
        owners,
        isName: named.length > 0,
        isExtra: words.length > 0,
        isBuiltIn: fromLists.length > 0,
        isOther: false,
      };
    return absent.length > 0
      ? { owners: absent, isName: false, isExtra: false, isBuiltIn: true, isOther: true }
      : undefined;
  };
  if (only || own.length === 0) return { listed };
  const kinds = new KindIndex(own, [...builtIn.keys()]);
  return { listed, kinds, heads: headWords(own, categories, kinds) };
}

/** LVIS has more than a thousand categories; the one of all people is called `baby`. */
function lvisPeople(categories: readonly string[]): string | undefined {
  if (categories.length < 1000 || categories.some((name) => name.toLowerCase() === 'person')) return undefined;
  return categories.find((name) => name.toLowerCase() === 'baby');
}

const isBuiltIn = (name: string | undefined): name is BuiltInName => (listNames as readonly unknown[]).includes(name);

/** Returns the built-in lists, the one that has most of the categories first. */
export function preferredLists(categories: readonly string[], preferred?: string): readonly BuiltInList[] {
  return listNames
    .map((name) => {
      const list = builtInList(name);
      const known = categories.filter((category) => list.categoryOf(category) !== undefined).length;
      return { list, known: name === preferred ? Number.POSITIVE_INFINITY : known };
    })
    .sort((a, b) => b.known - a.known)
    .map(({ list }) => list);
}

/** Adds the words of a vocabulary to the categories that its keys name; returns the words of its other keys. */
function addVocabulary(
  { synonyms }: Vocabulary,
  categories: readonly string[],
  add: (key: string, category: string) => void,
): Map<string, string[]> {
  const byKey = new Map<string, string[]>();
  for (const category of categories)
    for (const key of nameKeys(category)) byKey.set(key, [...(byKey.get(key) ?? []), category]);
  const others = new Map<string, readonly string[]>();
  for (const [name, words] of synonyms) {
    const exact = categories.filter((category) => category === name);
    const named = exact.length > 0 ? exact : nameKeys(name).flatMap((key) => byKey.get(key) ?? []);
    for (const category of new Set(named))
      for (const word of words)
        for (const key of [joinedWords(word), singularKey(phraseWords(word))]) add(key, category);
    if (named.length === 0) others.set(name, words);
  }
  return wordOwners(others);
}

/** Joined word → the categories of no built-in list for which the package lists it. */
function extraWords(categories: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const category of categories) {
    const words = nameKeys(category).flatMap((key) => extraSynonyms().get(key) ?? []);
    for (const key of new Set(words.map(joinedWords))) found.set(key, [...(found.get(key) ?? []), category]);
  }
  return found;
}

/** Returns the last words that name one category only. */
function headWords(own: readonly string[], categories: readonly string[], kinds: KindIndex): Map<string, string> {
  const owners = new Map<string, Set<string>>();
  for (const category of categories)
    for (const words of nameVariants(category)) {
      const head = nounLemma(words.at(-1)!);
      owners.set(head, (owners.get(head) ?? new Set()).add(category));
    }
  const found = new Map<string, string>();
  for (const category of own)
    for (const words of nameVariants(category)) {
      const head = nounLemma(words.at(-1)!);
      if (words.length > 1 && owners.get(head)!.size === 1 && isKindOfHead(words, head, kinds))
        found.set(head, category);
    }
  return found;
}

/** Checks whether a name may be shortened to its last word: a hand truck is not a truck in the usual meaning, so it may not. */
function isKindOfHead(words: readonly string[], head: string, kinds: KindIndex): boolean {
  const meanings = kinds.headMeanings(head);
  return meanings.length > 0 ? kinds.isBelow(words, meanings) !== false : !isNoun(head);
}
