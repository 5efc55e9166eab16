import { closedClass, ingNouns } from '../language/closed-classes.js';
import { type DictionaryWord, dictionaryWord } from '../language/dictionary-word.js';
import { isNoun, isVerb } from '../language/lemma.js';
import { locationAdverbLength, prepositionAt, startsPreposition } from '../language/prepositions.js';
import { isNominal, type WordClass } from '../language/word-class.js';
import { wordSet } from '../language/word-set.js';
import { tagWords } from '../tagging/tagger.js';
import { tagNames } from '../tagging/word-tags.js';

/**
 * Tags the words of a sentence: closed classes by lists, the others by relflow's tagger.
 * @param words lower-case words
 * @returns one class per word; every word of a preposition has the class `preposition`: "in front of" has three
 */
export function wordClasses(words: readonly string[]): WordClass[] {
  const { classes } = classesOf(words, tagWords(words));
  for (let k = 2; k < classes.length; k++) if (isListed(words, classes, k)) classes[k] = 'noun';
  return classes;
}

/**
 * Returns the classes of words that have these tags, and whether each word is of an open class.
 * @param tags numbers in `tagNames`
 */
export function classesOf(words: readonly string[], tags: Uint8Array): { classes: WordClass[]; isOpen: boolean[] } {
  const known = words.map(dictionaryWord);
  const classes = known.map((word, k) => word.closedClass ?? openClass(word, tags[k]!));
  for (let k = 0; k < classes.length; k++) classes[k] = disambiguatedTag(words, classes, k);
  // "each has a cushion"
  const isOpen = known.map(({ closedClass, text }) => closedClass === undefined && text !== 'has');
  markPrepositions(words, classes, isOpen);
  return { classes, isOpen };
}

/** Checks for a noun that is also an infinitive and cannot be a verb, since no other bare verb comes before it: "a suit and tie". */
function isListed(words: readonly string[], classes: readonly WordClass[], k: number): boolean {
  if (classes[k] !== 'verb' || classes[k - 1] !== 'and' || classes[k - 2] !== 'noun') return false;
  const isBare = (at: number) => dictionaryWord(words[at]!).verb === words[at];
  if (!isBare(k) || !dictionaryWord(words[k]!).isNoun) return false;
  for (let at = 0; at < k; at++) if (classes[at] === 'verb' && isBare(at)) return false;
  return true;
}

function openClass({ text, isNoun }: DictionaryWord, tag: number): WordClass {
  if (text === 'people') return 'noun';
  return openClasses[tag] ?? (isNoun ? 'noun' : text.includes('-') ? 'adjective' : 'other');
}

/** The classes of the tags of open classes, by their numbers. */
const openClasses: readonly (WordClass | undefined)[] = tagNames.map((name) => {
  if (/^NN/.test(name)) return 'noun';
  if (/^VB/.test(name)) return 'verb';
  return name === 'JJ' ? 'adjective' : name === 'RB' ? 'adverb' : undefined;
});

/** Decides the class of ambiguous function words from their neighbors. */
function disambiguatedTag(words: readonly string[], tags: readonly WordClass[], k: number): WordClass {
  const before = tags[k - 1];
  const next = tags[k + 1];
  const nounFollows = isNominal(next) || next === 'number';
  switch (words[k]) {
    case 'that':
      return nounFollows && before !== 'noun' ? 'determiner' : 'relative';
    case 'her':
      return nounFollows || isSide(words, k + 1) ? 'determiner' : 'pronoun';
    case 'one':
      // "the taller one kicks"
      if (before === 'adjective') return words.slice(Math.max(0, k - 3), k).includes('the') ? 'pronoun' : 'noun';
      // "one wearing a hat"
      if (words[k + 1]?.endsWith('ing') && closedClass(words[k + 2] ?? '') === 'determiner') return 'pronoun';
      return nounFollows || words[k + 1] === 'of' ? 'number' : 'pronoun';
    case 'both':
    case 'each':
    case 'some':
      // ", both wearing hats"
      return before === 'comma' && words[k + 1]?.endsWith('ing') ? 'pronoun' : tags[k]!;
    case 'neither':
      return words[k + 1]?.endsWith('ing') ? 'adverb' : tags[k]!;
    case 'other':
      return words[k - 1] === 'each' ? 'pronoun' : tags[k]!;
    case 'to':
      return startsInfinitive(words, next, k + 1) ? 'to' : 'other';
    case 'as':
      return /^(?:dressed|disguised|used|known)$/.test(words[k - 1] ?? '') ? 'preposition' : 'while';
    case 'can':
      return isContainer(words, before, k) ? 'noun' : tags[k]!;
    case 'part':
      return words[k + 1] === 'of' ? 'noun' : tags[k]!;
    case 'left':
    case 'right':
      return isSide(words, k) ? 'adjective' : tags[k]!;
    case 'up':
      // "a close up of a cat"
      return words[k - 1] === 'close' ? 'adjective' : tags[k]!;
    case "'s":
      return before === 'pronoun' || before === 'relative' || words[k - 1] === 'there' ? 'be' : 'possessive';
    case 'has':
    case 'have':
    case 'had':
    case 'having':
      return next === 'be' || (next === 'verb' && /(?:ed|en)$/.test(words[k + 1]!)) ? 'be' : 'verb';
    default:
      // "a modern building with", but "a man building a wall"
      return ingNouns.has(words[k]!) && isDescribed(words, k) ? 'noun' : tags[k]!;
  }
}

/** Checks whether "a" or "the" and an adjective precede a word. */
function isDescribed(words: readonly string[], k: number): boolean {
  const before = words[k - 1];
  if (before === undefined || closedClass(words[k - 2] ?? '') !== 'determiner') return false;
  return (
    dictionaryWord(before).isAdjective &&
    !/^(?:fe)?male$/.test(before) &&
    closedClass(words[k + 1] ?? '') !== 'determiner'
  );
}

/** Checks for the noun `can`, "a trash can next to": the verb is followed by another. */
function isContainer(words: readonly string[], before: WordClass | undefined, k: number): boolean {
  if (before !== 'noun' && before !== 'determiner' && before !== 'adjective') return false;
  const next = words[k + 1];
  // "a paint can stands": a verb after "can" has no -s
  const isThird = next?.endsWith('s') === true && isVerb(next.slice(0, -1));
  return next === undefined || isThird || canEnds.has(next) || startsPreposition(next);
}

const canEnds = wordSet('and or , is are was were that which');

/** Checks for a side of the body or of a thing: "her right hand". */
const isSide = (words: readonly string[], k: number) =>
  /^(?:left|right)$/.test(words[k] ?? '') && sided.has(words[k + 1] ?? '');
const sided = wordSet(
  'arm corner ear edge elbow end eye foot hand hip knee leg paw shoulder side thigh wall wing wrist',
);

/** Checks for an infinitive: "about to hit a ball" has one, "next to work" and "tied to post" do not. */
function startsInfinitive(words: readonly string[], tag: WordClass | undefined, k: number): boolean {
  const word = words[k];
  if (word === undefined || !isVerb(word)) return false;
  if (!isNoun(word) || closedClass(words[k + 1] ?? '') === 'determiner') return true;
  return tag === 'verb' && !wordsBeforePrepositionTo.has(words[k - 2] ?? '');
}

/** Words after which `to` is a preposition. */
const wordsBeforePrepositionTo: ReadonlySet<string> = new Set([
  ...['next', 'close', 'adjacent', 'attached', 'tied', 'strapped', 'connected', 'hooked', 'hitched', 'chained'],
  ...['fastened', 'taped', 'glued', 'linked', 'secured', 'leading', 'similar'],
]);

function markPrepositions(words: readonly string[], tags: WordClass[], isOpen: boolean[]): void {
  for (let k = 0; k < words.length; k++) {
    // "to catch", "as a train passes", "the inside of", "a close up"
    if (tags[k] === 'to' || tags[k] === 'while' || tags[k - 1] === 'determiner') continue;
    if (words[k] === 'up' && tags[k] === 'adjective') continue;
    // "opposite the sofa", but "opposite directions"
    if (words[k] === 'opposite' && isNominal(tags[k + 1])) continue;
    const place = locationAdverbLength(words, k, (index) => isNominal(tags[index]));
    const found = place > 0 ? undefined : prepositionAt(words, k);
    const length = place || (found?.length ?? 0);
    tags.fill(found ? 'preposition' : 'adverb', k, k + length);
    isOpen.fill(false, k, k + length);
    k += Math.max(0, length - 1);
  }
}
