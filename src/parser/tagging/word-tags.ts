import { closedClass, irregularParticiples } from '../language/closed-classes.js';
import { isAdjective, isNoun, isVerb, nounLemma, verbLemma } from '../language/lemma.js';
import { startsPreposition } from '../language/prepositions.js';
import type { WordClass } from '../language/word-class.js';

/**
 * Tags of words: those of the Penn Treebank, of which some are one (`VB` is an infinitive or a present form without -s, `AUX` a form of
 * `be` or an auxiliary, `SC` a word before a clause, `PRP` any pronoun, `W` a relative one, `X` anything else).
 */
export const tagNames = [
  ...['NN', 'NNS', 'JJ', 'RB', 'VB', 'VBZ', 'VBG', 'VBD', 'VBN', 'AUX', 'IN', 'SC', 'RP', 'TO', 'DT', 'PRP', 'PRP$'],
  ...['W', 'CD', 'CC', 'POS', 'EX', ',', 'X'],
] as const;
export type WordTag = (typeof tagNames)[number];

/** The number of a tag in `tagNames`. */
export const tagNumbers = Object.fromEntries(tagNames.map((name, k) => [name, k])) as Readonly<Record<WordTag, number>>;

/** Returns the set of tags as bits. */
export const tagBits = (...tags: readonly WordTag[]): number =>
  tags.reduce((bits, tag) => bits | (1 << tagNumbers[tag]), 0);

/** Returns the tags that a word can have by the dictionary, the lists of closed classes and its ending, as bits. */
export function possibleTags(text: string): number {
  if (text.endsWith("n't")) return tagBits('AUX');
  const closed = closedTags[closedClass(text) ?? 'other'];
  if (closed !== undefined) return tagBits(closed);
  if (startsPreposition(text)) return tagBits('IN');
  const hyphen = text.lastIndexOf('-') + 1;
  const word = text.slice(hyphen);
  if (/^\p{N}/u.test(word)) return tagBits('CD') | (hyphen > 0 ? tagBits('JJ') : 0);
  const noun = nounLemma(word);
  const verb = verbLemma(word);
  let bits = 0;
  if (isNoun(noun)) bits |= noun === word ? tagBits('NN') : tagBits('NNS');
  if (isNoun(word)) bits |= tagBits('NN');
  if (hyphen > 0) return bits | tagBits('NN', 'JJ');
  if (isAdjective(word)) bits |= tagBits('JJ');
  if (isVerb(verb)) bits |= verbTags(word, verb);
  if (word.endsWith('ly')) bits |= tagBits('RB');
  return bits || guessedTags(word);
}

/** The tags of words of closed classes. */
const closedTags: Partial<Readonly<Record<WordClass, WordTag>>> = {
  ...{ determiner: 'DT', number: 'CD', be: 'AUX', pronoun: 'PRP', relative: 'W', while: 'SC', and: 'CC', comma: ',' },
};

function verbTags(word: string, verb: string): number {
  if (word === verb) return irregularParticiples.has(word) ? tagBits('VB', 'VBD', 'VBN') : tagBits('VB', 'NN');
  if (word.endsWith('ing')) return tagBits('VBG');
  return word.endsWith('s') ? tagBits('VBZ') : tagBits('VBD', 'VBN', 'JJ');
}

/** What an unknown word can be. */
function guessedTags(word: string): number {
  if (!/^\p{Script=Latin}/u.test(word)) return tagBits('X');
  if (word.endsWith('ing')) return tagBits('VBG', 'NN', 'JJ');
  if (word.endsWith('ed')) return tagBits('VBD', 'VBN', 'JJ', 'NN');
  return word.endsWith('s') ? tagBits('NNS', 'NN', 'VBZ') : tagBits('NN', 'JJ');
}
