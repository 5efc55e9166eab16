import { colors, ingNouns, irregularParticiples, possessives } from '../src/parser/language/closed-classes.js';
import { type DictionaryWord, dictionaryWord } from '../src/parser/language/dictionary-word.js';
import { isCompound } from '../src/parser/language/lemma.js';
import { isAnimate, nounClass } from '../src/parser/language/noun-classes.js';
import { isNominal, QUOTE, type WordClass } from '../src/parser/language/word-class.js';
import { wordSet } from '../src/parser/language/word-set.js';

/**
 * Corrects the classes of words where the teacher, which learned from news and talk, is wrong about captions: "a horse grazes",
 * "people drinking wine".
 * @param words of a sentence
 * @param classes are overwritten
 * @param isOpen whether each word is of an open class
 */
export function correctClasses(words: readonly string[], classes: WordClass[], isOpen: readonly boolean[]): void {
  const known = words.map(dictionaryWord);
  for (let k = 0; k < classes.length; k++) if (isBackOf(words, classes, k)) classes[k] = 'noun';
  for (let k = 0; k < classes.length; k++)
    if (isOpen[k] && classes[k] !== 'be') classes[k] = openWordClass(known, classes, k);
}

/** Checks for a part of the body: "its striped back". */
const isBackOf = (words: readonly string[], classes: readonly WordClass[], k: number) =>
  words[k] === 'back' &&
  (possessives.has(words[k - 1]!) || (classes[k - 1] === 'adjective' && possessives.has(words[k - 2]!)));

/**
 * Returns the class of an open-class word from its context.
 * @param tags final before the word; from the word on the teacher's for open classes
 */
function openWordClass(words: readonly DictionaryWord[], tags: readonly WordClass[], k: number): WordClass {
  if (isClearVerb(words, tags, k)) return 'verb';
  const { text: word, verb, isVerb, isAdjective } = words[k]!;
  const isBeforeNoun = isNominal(tags[k + 1]);
  if (isWithoutSubject(words, tags, k)) return isAdjective && isBeforeNoun ? 'adjective' : 'noun';
  // "a silver bowl"
  if (colors.has(word) && isBeforeNoun) return 'adjective';
  const context = contextOf(words, tags, k);
  if (isVerb && verb !== word) {
    if (word.endsWith('ing')) return startsCompound(words, k, context) ? 'noun' : gerundClass(word, context);
    // "a horse drawn carriage"
    if (/(?:ed|en)$/.test(word) || irregularParticiples.has(word))
      return context.agent && !context.closes ? 'adjective' : context.tag;
  }
  return otherClass(words[k]!, context);
}

/**
 * Checks whether a word that the teacher takes for a finite verb must be a noun, since no word before it can be its subject: "bus on the
 * street", "green leaves on a tree". "People walk", "to walk" and "another walks" are verbs.
 */
function isWithoutSubject(words: readonly DictionaryWord[], tags: readonly WordClass[], k: number): boolean {
  const { text, verb, isNoun } = words[k]!;
  const before = tags[k - 1];
  if (tags[k] !== 'verb' || !isNoun) return false;
  // "building with a flat roof"
  if (ingNouns.has(text)) return before === undefined && tags[k + 1] !== 'determiner';
  if ((verb !== text && !text.endsWith('s')) || words[k - 1]?.text === 'other') return false;
  if (before === 'determiner') return !pronominal.has(words[k - 1]!.text);
  if (before === 'adjective') return k === 1 || tags[k - 2] === 'determiner' || tags[k - 2] === 'adjective';
  if (verb === text && isInCompound(words, tags, k)) return true;
  return before === undefined || before === 'number' || before === 'possessive' || before === 'preposition';
}

/** Checks for "a teddy bear with" and ", a wash basin". */
function isInCompound(words: readonly DictionaryWord[], tags: readonly WordClass[], k: number): boolean {
  const [before, next] = [words[k - 1], words[k + 1]];
  const isEnd = tags[k - 1] === 'noun' && before!.noun === before!.text && isCompound(before!.text, words[k]!.text);
  const isStart = (tags[k - 1] === 'comma' || tags[k - 1] === 'and') && tags[k + 1] === 'noun';
  return isEnd || (isStart && isCompound(words[k]!.text, next!.noun));
}

/** "A wheel and landing gear", but "a man cutting boards" */
const startsCompound = (words: readonly DictionaryWord[], k: number, { before, next }: WordContext) =>
  next === 'noun' && before !== 'noun' && before !== 'be' && isCompound(words[k]!.text, words[k + 1]!.text);

/**
 * Checks whether a word that may be a noun must be a verb: no noun stands directly before a determiner or a personal pronoun ("hands a
 * bag", "painting the wall", "watches him"), and few stand so before a preposition if they say how a thing rests ("hang from").
 */
function isClearVerb(words: readonly DictionaryWord[], tags: readonly WordClass[], k: number): boolean {
  const follows = tags[k + 1];
  const next = words[k + 1]?.text;
  const { text: word, verb, isVerb, closedClass } = words[k]!;
  const isThird = isVerb && word !== verb && word.endsWith('s');
  // "the other chops onions"
  if (isThird && follows === 'noun' && standsForOne(words, tags, k - 1)) return true;
  if (
    next === undefined ||
    (follows !== 'determiner' &&
      follows !== 'pronoun' &&
      follows !== 'preposition' &&
      follows !== 'adverb' &&
      follows !== 'number' &&
      next !== QUOTE)
  )
    return false;
  const before = tags[k - 1];
  if (!isVerb || tags[k] === 'adverb' || closedClass !== undefined || word === 'like') return false;
  if (isThird && standsForOne(words, tags, k - 1)) return true;
  if (before === 'determiner' || before === 'number' || before === 'possessive' || before === 'preposition')
    return false;
  if (before === 'adjective' && tags[k - 2] !== undefined) return false;
  // "on its striped back walks along"
  if (isThird && before === 'noun' && words[k - 1]!.text === 'back' && (restVerbs.has(verb) || gestures.has(verb)))
    return true;
  // "sits on a bench and waves to"
  if (isThird && before === 'and' && (restVerbs.has(verb) || gestures.has(verb)) && hasSingularVerb(words, tags, k))
    return true;
  // "and hands one to"
  if (isThird && before === 'and' && next === 'one' && tags[k + 2] === 'preposition') return true;
  if (next === QUOTE && before === 'noun' && (word.endsWith('ing') || word.endsWith('s'))) return true;
  const isInflected = word !== verb && (word.endsWith('s') || word.endsWith('ing'));
  if (isInflected && before !== undefined && (objectStarts.has(next) || objectPronouns.has(next))) return true;
  if (!restVerbs.has(verb))
    return (
      irregularParticiples.has(word) &&
      word === verb &&
      (before === 'noun' || before === 'be') &&
      (word === 'cut' ? /^(?:with|by|in|into|on)$/ : /^(?:with|by)$/).test(next) &&
      !isCompound(words[k - 1]!.text, word)
    );
  if (follows === 'pronoun' || next === QUOTE) return false;
  if (before === 'noun' && !isCompound(words[k - 1]!.text, word)) {
    const isPlural = words[k - 1]!.noun !== words[k - 1]!.text;
    const isList = tags.slice(Math.max(0, k - 5), k).includes('and');
    return word === verb
      ? isPlural || isList || tags[0] === 'preposition' || isCountedPlural(words, tags, k - 1)
      : word.endsWith('s') && !isPlural;
  }
  return (before === 'other' || before === 'verb') && word.endsWith('s');
}

/** Checks for "another" and, after "one", "the other", which stand for one thing: "the other chops". */
function standsForOne(words: readonly DictionaryWord[], tags: readonly WordClass[], k: number): boolean {
  const word = words[k]?.text;
  if (word === 'another') return tags[k - 1] !== 'pronoun';
  return word === 'other' && words[k - 1]?.text === 'the' && words.slice(0, k - 1).some(({ text }) => text === 'one');
}

/** Checks whether a verb with one subject comes before a word: "holds", "is". */
const hasSingularVerb = (words: readonly DictionaryWord[], tags: readonly WordClass[], k: number) =>
  tags.slice(0, k).some((tag, at) => (tag === 'verb' || tag === 'be') && words[at]!.text.endsWith('s'));

/** Checks for the last noun of "two glasses of tea". */
function isCountedPlural(words: readonly DictionaryWord[], tags: readonly WordClass[], k: number): boolean {
  let first = k;
  while (isNominal(tags[first - 1])) first--;
  const counted = words[first - 2];
  return words[first - 1]?.text === 'of' && counted !== undefined && counted.noun !== counted.text;
}

/** What starts the object of a verb for sure. */
const objectStarts = wordSet('a an the his its their this these');
const objectPronouns = wordSet('him them it her');
/** How things rest or move, and verbs that are seldom nouns before a preposition. */
const restVerbs =
  wordSet(`stand sit lie hang rest lean rise float hover perch grow flow surround drift crouch circle stretch stream nestle
  sprawl loom soar glide swirl dangle extend shine glow sparkle graze roam wander swim fly march wait gather huddle cluster flutter bloom
  sway bounce tumble crash crawl kneel squat peek peer gaze stare glance smile chat billow trail tower`);
/** What somebody also does, seldom nouns of a list. */
const gestures = wordSet('wave point look reach laugh talk turn walk run ride drive jump climb work wait step nod');

/** The context of a word. */
interface WordContext {
  /** The class that the teacher gave the word. */
  readonly tag: WordClass;
  readonly previous: string;
  readonly before: WordClass | undefined;
  readonly next: WordClass | undefined;
  /** Whether a plural ends the nouns that follow. */
  readonly isBeforePlural: boolean;
  /** Whether the word before it starts a noun phrase or continues one without a noun. */
  readonly opens: boolean;
  /** Whether no noun or adjective follows, so that a noun phrase ends with this word. */
  readonly closes: boolean;
  /** The noun directly before the word, which may be its subject. */
  readonly agent: Agent | undefined;
}

/** A noun that may be the subject of the word after it. */
interface Agent {
  readonly isAlive: boolean;
  readonly isPlural: boolean;
  /** Whether it ends a singular noun phrase: "a horse", "the young man", or "woman" at the start. */
  readonly isOne: boolean;
  /** Whether `a` or `an` starts its phrase, so that a plural after it cannot belong to the phrase: "a dining table". */
  readonly hasA: boolean;
}

function contextOf(words: readonly DictionaryWord[], tags: readonly WordClass[], k: number): WordContext {
  const before = tags[k - 1];
  const next = tags[k + 1];
  return {
    tag: tags[k]!,
    previous: words[k - 1]?.text ?? '',
    before,
    next,
    isBeforePlural: next === 'noun' && endsInPlural(words, tags, k + 1),
    opens:
      before === 'determiner' ||
      // "with their arms outstretched looking"
      (before === 'adjective' && tags[k - 2] !== 'noun') ||
      before === 'number' ||
      before === 'possessive',
    closes: !isNominal(next),
    agent: before === 'noun' ? agentAt(words, tags, k - 1) : undefined,
  };
}

function endsInPlural(words: readonly DictionaryWord[], tags: readonly WordClass[], k: number): boolean {
  let last = k;
  while (tags[last + 1] === 'noun') last++;
  return words[last]!.noun !== words[last]!.text;
}

function agentAt(words: readonly DictionaryWord[], tags: readonly WordClass[], k: number): Agent {
  const { text, noun } = words[k]!;
  let first = k;
  while (isNominal(tags[first - 1])) first--;
  const determiner = words[first - 1]?.text;
  const isPlural = noun !== text;
  return {
    isAlive: isAnimate(nounClass(noun, words[k - 1]?.text)),
    isPlural,
    isOne: !isPlural && (first === 0 || tags[first - 1] === 'determiner'),
    hasA: !isPlural && (determiner === 'a' || determiner === 'an'),
  };
}

function gerundClass(word: string, { tag, previous, before, next, opens, closes, agent }: WordContext): WordClass {
  // "a cake with white frosting"
  if (things.has(word) && before !== 'be' && next !== 'determiner' && next !== 'pronoun') return 'noun';
  if (ingNouns.has(word) && tag !== 'verb' && before !== 'be' && !agent?.isAlive) return 'noun';
  if (scenes.has(word) && agent && !agent.isAlive && before === 'noun') return 'noun';
  // "brick walls and hanging plants"
  if (word === 'hanging' && before === 'and' && next === 'noun') return 'adjective';
  if (before === 'determiner' && closes && pronominal.has(previous)) return 'verb';
  if (opens) return closes && tag !== 'verb' ? 'noun' : 'adjective';
  // "a track lighting unit", but "people drinking wine"
  if (agent && !agent.isAlive && tag === 'noun' && next === 'noun') return 'noun';
  if (before !== 'preposition') return 'verb';
  if (!closes) return purposePrepositions.has(previous) ? 'verb' : 'adjective';
  const hasMore = next === 'preposition' || next === 'determiner' || next === 'adverb';
  return tag === 'noun' && !hasMore ? 'noun' : 'verb';
}

/** What is hardly ever done. */
const things = wordSet(
  'awning bedding ceiling clothing frosting icing pudding railing seating siding stuffing topping',
);
/** "A kitchen setting", "a brick building" */
const scenes = wordSet('setting building railing ceiling lighting clothing');
/** Determiners that can replace a noun: "another bending over". */
const pronominal: ReadonlySet<string> = new Set(['another', 'some', 'both', 'all', 'each', 'that']);
/** Prepositions that a verb's gerund follows: "for selling fruit", but "of running water". */
const purposePrepositions: ReadonlySet<string> = new Set(['for', 'by', 'without', 'after', 'before', 'from']);

function otherClass(
  { text: word, verb, isVerb, isNoun, isAdjective }: DictionaryWord,
  context: WordContext,
): WordClass {
  const { tag, previous, before, closes, agent } = context;
  if (isVerb && isNoun && agent && isFiniteVerb(word === verb, agent, context)) return 'verb';
  // "pushing open the door"
  if (isAdjective && tag === 'verb' && before === 'verb' && word === verb && previous.endsWith('ing'))
    return 'adjective';
  if (!isAdjective && isNoun !== isVerb) return isNoun ? 'noun' : 'verb';
  // "has elaborate decoration", "playing doubles tennis"
  return tag === 'verb' && before === 'verb' && !closes && (isAdjective || isNoun) ? 'adjective' : tag;
}

/** Plurals that modify nouns. */
const pluralModifiers = wordSet('sports clothes goods sales arms glasses news waters kids ladies mens');

/** Detects finite verbs that the teacher tags as nouns: "a horse grazes in", "two cows graze in", but not "fighter jets in". */
function isFiniteVerb(isBare: boolean, agent: Agent, { previous, closes, next, isBeforePlural }: WordContext): boolean {
  if (isBare !== agent.isPlural) return false;
  // "a clerk in a uniform checks tickets", but "a sports bar"
  if (!closes) return agent.hasA && isBeforePlural;
  const hasMore = next !== undefined && next !== 'and' && next !== 'comma';
  if (!hasMore && !agent.isOne) return false;
  // "lanterns twinkle above", but "a sports bar in"
  if (agent.isPlural && next === 'preposition' && !pluralModifiers.has(previous)) return true;
  return agent.hasA || (agent.isAlive ? agent.isOne || agent.isPlural : next === 'determiner');
}
