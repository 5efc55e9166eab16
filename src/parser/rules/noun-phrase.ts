import type { Entity } from '../../records/text-graph.js';
import { captionEntity } from '../language/caption-entity.js';
import { colors } from '../language/closed-classes.js';
import { isCompound, nounLemma } from '../language/lemma.js';
import {
  collectives,
  isAnimate,
  isHangingPicture,
  type NounClass,
  nounClass,
  pictureNouns,
} from '../language/noun-classes.js';
import { partNouns } from '../language/prepositions.js';
import type { Token } from '../language/tokenize.js';
import type { WordClass } from '../language/word-class.js';

/** A noun phrase of a sentence. */
export interface NounPhrase {
  readonly entity: Entity;
  readonly nounClass: NounClass;
  readonly isPlural: boolean;
  /** Whether its verb may have either number: "a pile of books is", "a group of boys are". */
  readonly isCollected: boolean;
  /** Whether it has a determiner or a number: "a dog", "a slice of toast" and "two dogs", but not "dogs". */
  readonly isDetermined: boolean;
  /** Its last determiner: `the`, `his`. */
  readonly determiner: Token | undefined;
  /** The owner: the man in "the man's hat". */
  readonly owner: NounPhrase | undefined;
  /** The index of the word after it. */
  readonly next: number;
}

/** A sentence with the class of each word. */
export interface TaggedSentence {
  readonly caption: string;
  readonly tokens: readonly Token[];
  readonly tags: readonly WordClass[];
}

/**
 * Returns the noun phrase that starts at a word: determiners, numbers, adjectives, nouns. "A large group of young men" yields
 * "young men" with the quantity `group`; "the top of a building" yields "building"; "a photo of a cat" at the start of a
 * caption yields "cat".
 * @param quantity what a partitive before it says, unless the phrase has a number of its own
 */
export function nounPhraseAt(sentence: TaggedSentence, start: number, quantity?: string): NounPhrase | undefined {
  const { tags } = sentence;
  const counted = partitiveAt(sentence, start);
  if (counted) {
    const phrase = nounPhraseAt(sentence, counted.next, counted.quantity ?? quantity);
    const isDetermined = tags[start] === 'determiner' || tags[start] === 'number';
    if (phrase) return isDetermined && !phrase.isDetermined ? { ...phrase, isDetermined } : phrase;
  }
  const from = skip(tags, start, 'determiner');
  const to = endOfPhrase(sentence, from);
  if (to === undefined) return undefined;
  const owned = tags[to] === 'possessive' ? nounPhraseAt(sentence, to + 1, quantity) : undefined;
  return owned ? withOwner(owned, makePhrase(sentence, from, to, undefined)) : makePhrase(sentence, from, to, quantity);
}

/** Adds an owner to the innermost one: in "the man's dog's ball" the dog owns the ball, and the man owns the dog. */
const withOwner = (phrase: NounPhrase, owner: NounPhrase): NounPhrase => ({
  ...phrase,
  owner: phrase.owner ? withOwner(phrase.owner, owner) : owner,
});

/** Reads a partitive, which counts or locates the noun phrase that follows: "a group of", "two of", "the top of". */
function partitiveAt(sentence: TaggedSentence, start: number): { quantity?: string; next: number } | undefined {
  const { tokens, tags } = sentence;
  const from = skip(tags, start, 'determiner');
  const end = endOfPhrase(sentence, from) ?? skip(tags, from, 'number');
  if (end === start || tokens[end]?.text !== 'of') return undefined;
  const word = tokens[end - 1]!.text;
  const next = end + 1;
  if (collectives.has(word) || tags[end - 1] === 'number') return { quantity: word, next };
  // "a family of bears", "a body of water"
  if (word === 'family' && nounPhraseAt(sentence, next)?.nounClass === 'animal') return { quantity: word, next };
  if ((word === 'body' || word === 'bodies') && tokens[next]?.text === 'water') return { next };
  if (
    tags[end - 1] === 'determiner' ||
    partNouns.has(word) ||
    (start <= (tokens[0]!.text === 'this' ? 2 : 1) &&
      pictureNouns.has(word) &&
      !isHangingPicture(tokens.map(({ text }) => text)))
  )
    return { next };
  return undefined;
}

const skip = (tags: readonly WordClass[], start: number, tag: WordClass): number => {
  let k = start;
  while (tags[k] === tag) k++;
  return k;
};

/** Returns the index after the head noun; "red, white and blue flag" is one phrase, "red apples and pears" are two. */
function endOfPhrase({ tags }: TaggedSentence, from: number): number | undefined {
  let end: number | undefined;
  for (let k = from; k < tags.length; k++) {
    const tag = tags[k];
    if (tag === 'noun') end = k + 1;
    else if (tag === 'adjective' || tag === 'number') {
      if (end !== undefined && tag === 'number') break;
    } else if (tag === 'adverb' && end === undefined) {
      if (tags[k + 1] !== 'adjective' && tags[k + 1] !== 'adverb') break;
    } else if ((tag === 'and' || tag === 'comma') && end === undefined && k > from) {
      if (tags[k - 1] === 'adjective' && joinsAdjectives(tags, k)) continue;
      break;
    } else break;
  }
  return end;
}

/** Checks whether adjectives and then a noun follow the comma or `and`. */
function joinsAdjectives(tags: readonly WordClass[], joint: number): boolean {
  let k = joint + 1;
  if (tags[joint] === 'comma' && tags[k] === 'and') k++;
  if (tags[k] !== 'adjective') return false;
  while (tags[k] === 'adjective') k++;
  return tags[k] === 'noun' || tags[k] === 'and' || tags[k] === 'comma';
}

/** @param counted the quantity that a partitive before the phrase says */
function makePhrase(
  { caption, tokens, tags }: TaggedSentence,
  from: number,
  to: number,
  counted: string | undefined,
): NounPhrase {
  const last = to - 1;
  const { text: head, end } = tokens[last]!;
  const lemma = nounLemma(head);
  let number: string | undefined;
  const adjectives: string[] = [];
  // The lemma of "people" is `person`, its name stays `people`.
  let name = head === 'people' ? head : lemma;
  for (let k = last - 1; k >= from; k--) {
    const { text } = tokens[k]!;
    const isAdjective = tags[k] === 'adjective';
    if (tags[k] === 'number') number = text;
    // "hot" is not an attribute of a hot dog.
    else if (isAdjective && !(k === last - 1 && !colors.has(text) && isCompound(text, head))) adjectives.unshift(text);
    else if (isAdjective || tags[k] === 'noun') name = `${text} ${name}`;
  }
  const determiner = tags[from - 1] === 'determiner' ? tokens[from - 1]! : undefined;
  // "dressed in pink"
  const kind = colors.has(head) ? 'garment' : nounClass(lemma, tokens[last - 1]?.text);
  // "a herd of sheep", "slices of bread", but "a pile of hay"
  const isMany =
    number === undefined
      ? counted !== undefined && (isAnimate(kind) || counted.endsWith('s'))
      : number !== 'one' && number !== '1';
  return {
    entity: captionEntity(caption, {
      start: tokens[from]!.start,
      end,
      head,
      lemma,
      name,
      attributes: attributesOf(adjectives),
      quantity: number ?? counted,
    }),
    nounClass: kind,
    isPlural: head !== lemma || isMany,
    isCollected: counted !== undefined && number === undefined,
    isDetermined: determiner !== undefined || number !== undefined,
    determiner,
    owner: undefined,
    next: to,
  };
}

/** Returns one attribute per adjective; a shade and its color are one: `light blue`. */
function attributesOf(adjectives: readonly string[]): Entity['attributes'] {
  const texts: string[] = [];
  for (const adjective of adjectives) {
    if (colors.has(adjective) && shades.has(texts.at(-1) ?? '')) texts.push(`${texts.pop()} ${adjective}`);
    else texts.push(adjective);
  }
  return texts.map((text) => ({ text, lemma: text }));
}

const shades: ReadonlySet<string> = new Set(['light', 'dark', 'bright', 'pale', 'deep']);
