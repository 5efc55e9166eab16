import { compounds, exceptionList, type WordList, wordList } from './lexicon/lexicon.js';
import { memoize } from './memoize.js';

/**
 * Returns the singular of a noun: `skis` → `ski`, `men` → `man`. Irregular forms come from a list, regular endings are
 * removed when that leaves a known noun, and an unknown word follows the spelling rules: `longboards` → `longboard`.
 * `people` → `person`, because a caption counts persons, not nations. Garments with two legs keep their plural: `jeans`,
 * `shorts`. `glasses` → `glass`, because captions mention drinking glasses more often. In a hyphenated word only the last
 * part changes.
 * @param word one word in any case, without a possessive `'s`
 * @returns the lemma in lower case
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
 * Returns the infinitive of a verb: `riding` → `ride`, `sat` → `sit`, `lies` → `lie`. An infinitive stays unchanged
 * (`lay`, `string`) unless it is far more often a form of another verb (`saw` → `see`, `left` → `leave`, `found` → `find`).
 * Unknown words follow the spelling rules: `zorbing` → `zorb`. In a hyphenated word only the last part changes.
 * @param word one word in any case
 * @returns the lemma in lower case
 */
export const verbLemma: (word: string) => string = memoize(20_000, (word) => findVerbLemma(word.toLowerCase()));

function findVerbLemma(form: string): string {
  const irregular = exceptionList('verb-exceptions').get(form);
  if (irregular) return irregular;
  if (isVerb(form)) return form;
  const regular = detach(form, verbEndings, isVerb) ?? detach(undouble(form), doubledVerbEndings, isVerb);
  if (regular) return regular;
  const hyphen = form.lastIndexOf('-') + 1;
  if (hyphen > 0) return form.slice(0, hyphen) + verbLemma(form.slice(hyphen));
  return guess(undouble(form), guessedVerbEndings);
}

/** Returns a function that checks for a word of a list, which is loaded on first use. */
function listed(name: WordList): (word: string) => boolean {
  let words: ReadonlySet<string> | undefined;
  return (word) => {
    words ??= wordList(name);
    return words.has(word);
  };
}

/** Checks whether a lower-case singular is a known noun; names of particular people and places are not. */
export const isNoun = listed('nouns');

/** Checks whether a lower-case infinitive is a known verb. */
export const isVerb = listed('verbs');

/** Checks whether a lower-case word is an adjective; `larger` and `biggest` count as `large` and `big` unless they are nouns. */
export const isAdjective: (word: string) => boolean = memoize(20_000, (word) => {
  const known = (form: string) => wordList('adjectives').has(form);
  if (known(word)) return true;
  const compared = detach(word, comparisons, known) ?? detach(undouble(word), comparisons, known);
  return compared !== undefined && !isNoun(word);
});

/** Checks for a word of the dictionary in any form. @param word lower case */
export const isDictionaryWord = (word: string): boolean =>
  isNoun(word) || isNoun(nounLemma(word)) || isVerb(verbLemma(word)) || isAdjective(word);

/** Checks whether WordNet lists two lower-case words as one noun, singular or plural: `hot dog`. */
export function isCompound(first: string, second: string): boolean {
  const endings = compoundEndings(first);
  return endings !== undefined && (endings.has(second) || endings.has(nounLemma(second)));
}

/** Returns the words with which a word forms compound nouns; undefined if there are none. */
export const compoundEndings: (word: string) => ReadonlySet<string> | undefined = memoize(20_000, (word) => {
  const endings = compounds().get(word);
  return endings && new Set(endings);
});

type Ending = readonly [ending: string, replacement: string];

/** Tried in this order: `cookies` becomes `cookie`, not `cooky`, and `potatoes` does not become `potatoe`. */
const nounEndings: readonly Ending[] = [
  ['s', ''],
  ['ies', 'y'],
  ['es', ''],
  ['ves', 'f'],
  ['ves', 'fe'],
  ['men', 'man'],
];
/** Tried in this order: `riding` becomes `ride`, not `rid`, whose gerund is `ridding`; `skied` becomes `ski`, not `sky`. */
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
/** A verb that doubles its consonant has no silent `e`: `sitting` becomes `sit`, not `site`. */
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

/** Replaces the first ending that leaves a known word; undefined when none does. */
function detach(form: string, endings: readonly Ending[], isKnown: (word: string) => boolean): string | undefined {
  for (const [ending, replacement] of endings) {
    if (!form.endsWith(ending)) continue;
    const lemma = form.slice(0, -ending.length) + replacement;
    if (isKnown(lemma)) return lemma;
  }
  return undefined;
}

/** WordNet lists some plurals as nouns (`cows`, `taxis`). The endings of `bass`, `bus` and `acoustics` mark singulars. */
const mayBePlural = (noun: string) => noun.length > 3 && noun.endsWith('s') && !/(?:ss|us|ics)$/.test(noun);

/** Removes the doubling of a consonant before the ending: `stopping` → `stoping`. */
const undouble = (form: string) => form.replace(/([bdfgklmnprstvz])\1(ing|ed|es|er|est)$/, '$1$2');

/** Returns the singular of an unknown word that ends in an irregular plural: `stepchildren` → `stepchild`. */
function irregularSuffix(form: string): string | undefined {
  for (const [plural, lemma] of exceptionList('noun-exceptions'))
    if (plural.length > 3 && plural !== lemma && form.endsWith(plural)) return form.slice(0, -plural.length) + lemma;
  return undefined;
}

type GuessedEnding = readonly [ending: RegExp, replacement: string];

/** The first rule that matches applies. */
const guessedNounEndings: readonly GuessedEnding[] = [
  [/(?:ss|us)$/, '$&'],
  [/(?<=.{2})ies$/, 'y'],
  [/(?<=x|z|ch|sh|ss)es$/, ''],
  [/(?<=.{2})s$/, ''],
];
/** Restores a silent `e` after a letter that English verbs do not end in (`v`, `c`, `u`) and after a single short syllable. */
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
