import { exceptionList, wordList } from './lexicon/lexicon.js';
import { memoize } from './memoize.js';

/**
 * The singular of a noun: `skis` → `ski`, `men` → `man`. Irregular forms come from a list, regular endings are taken off
 * where that leaves a known noun, and an unknown word follows the spelling rules: `longboards` → `longboard`.
 * `people` → `person`, since a caption counts persons, not nations. Garments of two legs stay as they are said: `jeans`,
 * `shorts`; `glasses` → `glass`, since captions drink more than they read. Of a hyphenated word the last part changes.
 * @param word one word in any case, without a possessive `'s`
 * @returns lower case
 */
export const nounLemma: (word: string) => string = memoize(20_000, (word) => findNounLemma(word.toLowerCase()));

function findNounLemma(form: string): string {
  const irregular = exceptionList('noun-exceptions').get(form);
  if (irregular) return irregular;
  const isKnown = isNoun(form);
  if (isKnown && !mayBePlural(form)) return form;
  const regular = detach(form, nounEndings, isNoun);
  if (regular) return regular;
  if (isKnown) return form;
  const hyphen = form.lastIndexOf('-') + 1;
  if (hyphen > 0) return form.slice(0, hyphen) + nounLemma(form.slice(hyphen));
  return irregularSuffix(form) ?? guess(form, guessedNounEndings);
}

/**
 * The infinitive of a verb: `riding` → `ride`, `sat` → `sit`, `lies` → `lie`. A verb's own infinitive stays (`lay`,
 * `string`) unless it is far more often a form of another verb (`saw` → `see`, `left` → `leave`, `found` → `find`).
 * Unknown words follow the spelling rules: `zorbing` → `zorb`. Of a hyphenated word the last part changes.
 * @param word one word in any case
 * @returns lower case
 */
export function verbLemma(word: string): string {
  const form = word.toLowerCase();
  const irregular = exceptionList('verb-exceptions').get(form);
  if (irregular) return irregular;
  if (isVerb(form)) return form;
  const regular = detach(form, verbEndings, isVerb) ?? detach(undouble(form), doubledVerbEndings, isVerb);
  if (regular) return regular;
  const hyphen = form.lastIndexOf('-') + 1;
  if (hyphen > 0) return form.slice(0, hyphen) + verbLemma(form.slice(hyphen));
  return guess(undouble(form), guessedVerbEndings);
}

/** @param lemma a lower-case singular; names of particular people and places are not among the known nouns */
export const isNoun = (lemma: string): boolean => wordList('nouns').has(lemma);

/** @param lemma a lower-case infinitive */
export const isVerb = (lemma: string): boolean => wordList('verbs').has(lemma);

/** @param word a lower-case adjective; `larger` and `biggest` count as `large` and `big` where they are not nouns */
export const isAdjective = (word: string): boolean => {
  const known = (form: string) => wordList('adjectives').has(form);
  if (known(word)) return true;
  const compared = detach(word, comparisons, known) ?? detach(undouble(word), comparisons, known);
  return compared !== undefined && !isNoun(word);
};

/** @param words two lower-case words with a blank between, singular or plural, that WordNet lists as one noun: `hot dog` */
export const isCompound = (words: string): boolean => {
  const compounds = wordList('compounds');
  if (compounds.has(words)) return true;
  const [first, second] = words.split(' ');
  return second !== undefined && compounds.has(`${first} ${nounLemma(second)}`);
};

type Ending = readonly [ending: string, replacement: string];

/** In the order of trial: `cookies` is `cookie`, not `cooky`, and `potatoes` not `potatoe`. */
const nounEndings: readonly Ending[] = [
  ['s', ''],
  ['ies', 'y'],
  ['es', ''],
  ['ves', 'f'],
  ['ves', 'fe'],
  ['men', 'man'],
];
/** `riding` is `ride`, not `rid`, which would be `ridding`; `skied` is `ski`, not `sky`. */
const verbEndings: readonly Ending[] = [
  ['s', ''],
  ['es', ''],
  ['ies', 'y'],
  ['ing', 'e'],
  ['ing', ''],
  ['ed', 'e'],
  ['ed', ''],
  ['ied', 'y'],
  ['cking', 'c'],
  ['cked', 'c'],
];
/** What doubles its consonant has no silent `e`: `sitting` is `sit`, not `site`. */
const doubledVerbEndings: readonly Ending[] = [
  ['ing', ''],
  ['ed', ''],
  ['es', ''],
];
const comparisons: readonly Ending[] = [
  ['er', ''],
  ['er', 'e'],
  ['ier', 'y'],
  ['est', ''],
  ['est', 'e'],
  ['iest', 'y'],
];

/** What is left of a form without an ending, where that is a known word. */
function detach(form: string, endings: readonly Ending[], isKnown: (word: string) => boolean): string | undefined {
  for (const [ending, replacement] of endings) {
    if (!form.endsWith(ending)) continue;
    const lemma = form.slice(0, -ending.length) + replacement;
    if (isKnown(lemma)) return lemma;
  }
  return undefined;
}

/** Some plurals are listed as nouns of their own (`cows`, `taxis`); `bass`, `bus` and `acoustics` are no plurals. */
const mayBePlural = (noun: string) => noun.length > 3 && noun.endsWith('s') && !/(?:ss|us|ics)$/.test(noun);

/** `stopping` → `stoping`: a consonant that is doubled before the ending, once. */
const undouble = (form: string) => form.replace(/([bdfgklmnprstvz])\1(ing|ed|es|er|est)$/, '$1$2');

/** `stepchildren` → `stepchild` and `bookshelves` → `bookshelf`: an unknown word that ends in an irregular plural. */
function irregularSuffix(form: string): string | undefined {
  for (const [plural, lemma] of exceptionList('noun-exceptions'))
    if (plural.length > 3 && plural !== lemma && form.endsWith(plural)) return form.slice(0, -plural.length) + lemma;
  return undefined;
}

type GuessedEnding = readonly [ending: RegExp, replacement: string];

/** The first rule that fits decides. */
const guessedNounEndings: readonly GuessedEnding[] = [
  [/(?:ss|us)$/, '$&'],
  [/(?<=.{2})ies$/, 'y'],
  [/(?<=x|z|ch|sh|ss)es$/, ''],
  [/(?<=.{2})s$/, ''],
];
/** A silent `e` comes back after a letter that no English verb ends in (`v`, `c`, `u`) and after one short syllable. */
const silentE = '(?<=[vcu]|^[^aeiou]+[aeiou][dgkmnpstz]|[ai]z|[^aeiou][aeiou]t)';
const guessedVerbEndings: readonly GuessedEnding[] = [
  [/ss$/, '$&'],
  [/(?<=.{2})ie[sd]$/, 'y'],
  [/(?<=x|z|ch|sh|ss)es$/, ''],
  [new RegExp(`${silentE}(?:ing|ed)$`), 'e'],
  [/(?<=[aeiouy].*)(?:ing|ed)$/, ''],
  [/(?<=.{2})s$/, ''],
];

function guess(form: string, endings: readonly GuessedEnding[]): string {
  for (const [ending, replacement] of endings) if (ending.test(form)) return form.replace(ending, replacement);
  return form;
}
