import { colors, ingNouns, irregularParticiples } from '../language/closed-classes.js';
import { isAdjective, isCompound, isNoun, isVerb, nounLemma, verbLemma } from '../language/lemma.js';
import { isAnimate, nounClass } from '../language/noun-classes.js';
import { isNominal, type WordClass } from '../language/word-class.js';

/**
 * Whether what wink takes for a finite verb must be a noun, since nothing before it can be its subject: "a bathroom mirror",
 * "the back tires", "a dirt covered sink", "an oven, sink, and window". "People walk" and "to walk" are verbs.
 * @param tags wink's for open classes
 */
export function isMistaggedNoun(words: readonly string[], tags: readonly WordClass[], k: number): boolean {
  const word = words[k]!;
  const isBare = verbLemma(word) === word;
  if (tags[k] !== 'verb' || !(isBare || word.endsWith('s')) || !isNoun(nounLemma(word))) return false;
  const before = words[k - 1];
  switch (tags[k - 1]) {
    case undefined:
    case 'to':
    case 'pronoun':
    case 'relative':
    case 'while':
      return false;
    case 'noun':
      return isBare && nounLemma(before!) === before && !isAnimate(nounClass(before));
    case 'comma':
      return tags[k + 1] === 'comma' || tags[k + 1] === 'and' || k + 1 === words.length;
    case 'and':
      return !tags.slice(0, k).includes('verb');
    case 'adverb':
      return tags[k - 2] === 'determiner';
    case 'be':
      return /^(?:am|is|are|was|were)$/.test(before!);
    default:
      return true;
  }
}

/**
 * The tag of a word of an open class between its neighbours.
 * @param tags final before the word; wink's for the open classes from there on
 */
export function openWordClass(words: readonly string[], tags: readonly WordClass[], k: number): WordClass {
  const word = words[k]!;
  const place = contextOf(words, tags, k);
  if (colors.has(word)) return colorTag(words, k, place);
  const verb = verbLemma(word);
  const noun = nounLemma(word);
  // "a female holding", but "a female zebra"
  if (place.opens && isAnimate(nounClass(noun)) && words[k + 1]?.endsWith('ing')) return 'noun';
  if (place.opens && !place.closes && word.endsWith('ed')) return 'adjective';
  if (verb !== word && isVerb(verb)) {
    if (word.endsWith('ing')) return gerundTag(word, place);
    if (/(?:ed|en)$/.test(word) || irregularParticiples.has(word)) return participleTag(place);
  }
  return otherTag(word, { canBeNoun: isNoun(noun), verb: isVerb(verb) ? verb : undefined }, place);
}

/** What surrounds a word. */
interface WordContext {
  /** What the word was taken for. */
  readonly tag: WordClass;
  readonly previous: string;
  readonly before: WordClass | undefined;
  readonly next: WordClass | undefined;
  /** A noun phrase has begun, and has no noun yet. */
  readonly opens: boolean;
  /** The noun phrase does not go on. */
  readonly closes: boolean;
  /** The noun right before the word, which may be its subject. */
  readonly agent: Agent | undefined;
}

interface Agent {
  readonly isAlive: boolean;
  readonly isPlural: boolean;
  /** "a horse", "the young man", or "woman" at the start: a whole noun phrase of one. */
  readonly isOne: boolean;
  /** "a dining table": what follows is no plural of the same phrase. */
  readonly hasA: boolean;
}

function contextOf(words: readonly string[], tags: readonly WordClass[], k: number): WordContext {
  const before = tags[k - 1];
  const next = tags[k + 1];
  return {
    tag: tags[k]!,
    previous: words[k - 1] ?? '',
    before,
    next,
    opens: before === 'determiner' || before === 'adjective' || before === 'number' || before === 'possessive',
    closes: !isNominal(next),
    agent: before === 'noun' ? agentAt(words, tags, k - 1) : undefined,
  };
}

function agentAt(words: readonly string[], tags: readonly WordClass[], k: number): Agent {
  const noun = nounLemma(words[k]!);
  let first = k;
  while (isNominal(tags[first - 1])) first--;
  const determiner = words[first - 1];
  const isPlural = noun !== words[k];
  return {
    isAlive: isAnimate(nounClass(noun, words[k - 1])),
    isPlural,
    isOne: !isPlural && (first === 0 || tags[first - 1] === 'determiner'),
    hasA: !isPlural && (determiner === 'a' || determiner === 'an'),
  };
}

/** "an orange" is a fruit, "an orange and white cat" is not; no other colour is a thing. */
function colorTag(words: readonly string[], k: number, { before, next, closes }: WordContext): WordClass {
  if (words[k] !== 'orange' || !closes || before !== 'determiner') return 'adjective';
  const isJoined = next === 'and' || next === 'comma';
  return isJoined && colors.has(words[k + 2] ?? '') ? 'adjective' : 'noun';
}

function gerundTag(word: string, { tag, previous, before, next, opens, closes, agent: doer }: WordContext): WordClass {
  if (ingNouns.has(word) && tag !== 'verb' && before !== 'be' && !doer?.isAlive) return 'noun';
  if (before === 'determiner' && closes && pronominal.has(previous)) return 'verb';
  if (opens) return closes && tag !== 'verb' ? 'noun' : 'adjective';
  // "a track lighting unit", but "people drinking wine"
  if (doer && !doer.isAlive && tag === 'noun' && next === 'noun') return 'noun';
  if (before !== 'preposition') return 'verb';
  if (!closes) return purposePrepositions.has(previous) ? 'verb' : 'adjective';
  const hasMore = next === 'preposition' || next === 'determiner' || next === 'adverb';
  return tag === 'noun' && !hasMore ? 'noun' : 'verb';
}

/** Determiners that can stand for a noun: "another bending over". */
const pronominal: ReadonlySet<string> = new Set(['another', 'some', 'both', 'all', 'each', 'that']);
/** Prepositions before what somebody does: "for selling fruit", but "of running water". */
const purposePrepositions: ReadonlySet<string> = new Set(['for', 'by', 'without', 'after', 'before', 'from']);

function participleTag({ tag, before, next, opens, closes, agent: doer }: WordContext): WordClass {
  if (before === 'be') return tag === 'adjective' && next !== 'preposition' ? 'adjective' : 'verb';
  // "a horse drawn carriage"
  if (doer) return closes ? 'verb' : 'adjective';
  if (opens || !closes) return 'adjective';
  return next === 'preposition' ? 'verb' : tag;
}

function otherTag(
  word: string,
  { canBeNoun, verb }: { canBeNoun: boolean; verb: string | undefined },
  place: WordContext,
): WordClass {
  const { tag, previous, before, next, opens, closes, agent: doer } = place;
  const canBeAdjective = isAdjective(word);
  // "a bus stop", but "a bus stops"
  if (doer && (word === verb || !doer.hasA) && (word === 'light' || isCompound(`${previous} ${word}`))) return 'noun';
  if (verb !== undefined && canBeNoun && doer && isFiniteVerb(word === verb, doer, place)) return 'verb';
  if (!canBeAdjective && canBeNoun !== (verb !== undefined)) return canBeNoun ? 'noun' : 'verb';
  // "sits on a bench and rides a"
  if (verb !== undefined && word !== verb && before === 'and' && next === 'determiner') return 'verb';
  // "has elaborate decoration", "playing doubles tennis"
  if (tag === 'verb' && before === 'verb' && !closes && (canBeAdjective || canBeNoun)) return 'adjective';
  if (tag === 'verb' && before === 'preposition') return closes && canBeNoun ? 'noun' : 'adjective';
  if (tag === 'adverb') return canBeAdjective && !closes && !word.endsWith('ly') ? 'adjective' : tag;
  // "a red and", "a large one": a noun may still come.
  const mayGoOn = next === 'and' || next === 'comma' || next === 'number' || next === 'pronoun';
  if (canBeNoun && closes && (opens || before === 'preposition') && !(tag === 'adjective' && mayGoOn)) return 'noun';
  return tag;
}

/** "a horse grazes in", "two cows graze in", but "fighter jets in": wink easily takes a finite verb for a noun. */
function isFiniteVerb(isBare: boolean, doer: Agent, { closes, next }: WordContext): boolean {
  if (isBare !== doer.isPlural || !closes) return false;
  const hasMore = next !== undefined && next !== 'and' && next !== 'comma';
  if (!hasMore && !doer.isOne) return false;
  return doer.hasA || (doer.isAlive ? doer.isOne || doer.isPlural : next === 'determiner');
}
