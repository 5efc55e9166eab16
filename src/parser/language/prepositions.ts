import { articles, possessives } from './closed-classes.js';
import { wordSet } from './word-set.js';

/** A preposition of one or more words, found in a sentence. */
export interface PrepositionMatch {
  /** Number of words, articles included. */
  readonly length: number;
  /** As written, without articles: `on top of` for `on the top of`. */
  readonly text: string;
}

/**
 * Finds the longest preposition that starts at a word. Its text has no articles, because captions write the same relation
 * both ways and Visual Genome's predicates have none: `on the side of` and `on side of` are one predicate.
 * @param words a sentence in lower case
 * @returns undefined when no preposition starts there; in `in the garden` it is `in`
 */
export function prepositionAt(words: readonly string[], start: number): PrepositionMatch | undefined {
  const length = prepositionLength(words, start);
  return length > 0 ? prepositionMatch(words, start, start + length) : undefined;
}

/** Returns the number of words of the preposition that `prepositionAt` finds; 0 when it finds none. */
export function prepositionLength(words: readonly string[], start: number): number {
  const part = partAt(words, start);
  if (part !== undefined && words[part] === 'of') return part + 1 - start;
  return longestPhraseAt(multiwordPrepositions, words, start) || (singleWords.has(words[start]!) ? 1 : 0);
}

/** Checks whether a preposition may start with a word. */
export const startsPreposition = (word: string): boolean =>
  partPrepositions.has(word) || multiwordPrepositions.has(word) || singleWords.has(word);

/**
 * Returns the number of words of a location without a noun that starts at a word, as in "a cake with a candle on top" and "a
 * sink on the left"; 0 when none starts there. `in front of` and `in the front yard` do not count.
 * @param isNoun tells whether the word at an index is part of a noun phrase
 */
export function locationAdverbLength(
  words: readonly string[],
  start: number,
  isNoun: (index: number) => boolean,
): number {
  const length = longestPhraseAt(adverbPhrases, words, start);
  if (length > 0) return length;
  const end = partAt(words, start);
  if (end === undefined || words[end] === 'of' || standalonePartNouns.has(words[end - 1]!) || isNoun(end)) return 0;
  // "on its back" has a noun: the back of an animal.
  return words.slice(start, end).some((word) => possessives.has(word)) ? 0 : end - start;
}

/** Returns the index after a preposition and a part noun, as in `on the left side`; undefined when none start there. */
function partAt(words: readonly string[], start: number): number | undefined {
  if (!partPrepositions.has(words[start]!)) return undefined;
  let k = start + 1;
  while (
    articles.has(words[k]!) ||
    (partModifiers.has(words[k]!) && (partModifiers.has(words[k + 1]!) || partNouns.has(words[k + 1]!)))
  )
    k++;
  return partNouns.has(words[k]!) ? k + 1 : undefined;
}

function prepositionMatch(words: readonly string[], start: number, end: number): PrepositionMatch {
  if (end === start + 1) return { length: 1, text: words[start]! };
  const text = words
    .slice(start, end)
    .filter((word) => !articles.has(word))
    .join(' ');
  return { length: end - start, text };
}

const partPrepositions = wordSet('in on at to from by along near off around toward towards');
/** Words between the article and the part: "on the far left side of". */
const partModifiers = wordSet(
  'left right other far opposite same very upper lower back front both each either one hand bottom top',
);
/** Parts that a caption may also mention by themselves: "a bus at the corner". */
const standalonePartNouns = wordSet('edge edges end ends corner corners base');
/** Parts of things that only give a location: not noun phrases when `of` follows. */
export const partNouns = new Set([
  ...standalonePartNouns,
  ...wordSet('top bottom front back rear side sides middle center centre midst left right inside part interior'),
]);

const singleWords =
  wordSet(`aboard about above across after against along alongside amid amidst among amongst around at atop before
  behind below beneath beside besides between beyond by despite down during for from in inside into like near of off on onto opposite
  out outside over past through throughout to toward towards under underneath until up upon via with within without`);

/** First word → phrases, as words, the longest first. */
type Phrases = ReadonlyMap<string, readonly (readonly string[])[]>;

const multiwordPrepositions =
  phrases(`next to|close to|near to|adjacent to|opposite of|parallel to|out of|inside of|outside of|off of|
  away from|across from|far from|in between|ahead of|along side of|along side|alongside of|full of|along with|together with|
  instead of|because of|due to|in addition to|all over|all around|all along|at the foot of|at the head of|in the heart of|at the heart of|in the midst of`);
const adverbPhrases = phrases(
  'side by side|hand in hand|arm in arm|side to side|back to back|face to face|cross country|on display',
);

/** Returns the number of words of the longest phrase that starts at a word; 0 when none does. */
function longestPhraseAt(known: Phrases, words: readonly string[], start: number): number {
  const found = known.get(words[start]!)?.find((phrase) => phrase.every((word, k) => words[start + k] === word));
  return found?.length ?? 0;
}

function phrases(list: string): Phrases {
  const byFirst = new Map<string, string[][]>();
  for (const phrase of list.split('|').map((text) => text.trim().split(' '))) {
    const others = byFirst.get(phrase[0]!) ?? [];
    byFirst.set(
      phrase[0]!,
      [...others, phrase].sort((a, b) => b.length - a.length),
    );
  }
  return byFirst;
}
