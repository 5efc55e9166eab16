import type { Entity } from '../../records/text-graph.js';
import { colors } from '../language/closed-classes.js';
import { isCompound, nounLemma } from '../language/lemma.js';
import { collectives, isHangingPicture, type NounClass, nounClass, pictureNouns } from '../language/noun-classes.js';
import { partNouns } from '../language/prepositions.js';
import type { Token } from '../language/tokenize.js';
import type { WordClass } from '../language/word-class.js';

/** A noun phrase of a sentence. */
export interface NounPhrase {
  readonly entity: Entity;
  readonly nounClass: NounClass;
  readonly isPlural: boolean;
  /** Whether it has a determiner or a number: "a dog" and "two dogs", but not "dogs". */
  readonly isDetermined: boolean;
  /** Its last determiner: `the`, `his`. */
  readonly determiner?: Token;
  /** The owner: the man in "the man's hat". */
  readonly owner?: NounPhrase;
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
 */
export function nounPhraseAt(sentence: TaggedSentence, start: number): NounPhrase | undefined {
  const { tags } = sentence;
  const counted = partitiveAt(sentence, start);
  if (counted) {
    const phrase = nounPhraseAt(sentence, counted.next);
    if (phrase) return withQuantity(phrase, counted.quantity);
  }
  const from = skip(tags, start, 'determiner');
  const to = endOfPhrase(sentence, from);
  if (to === undefined) return undefined;
  const phrase = makePhrase(sentence, from, to);
  if (tags[to] !== 'possessive') return phrase;
  const owned = nounPhraseAt(sentence, to + 1);
  return owned ? withOwner(owned, phrase) : phrase;
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
    (start <= 1 && pictureNouns.has(word) && !isHangingPicture(tokens.map(({ text }) => text)))
  )
    return { next };
  return undefined;
}

function withQuantity(phrase: NounPhrase, quantity: string | undefined): NounPhrase {
  if (quantity === undefined || phrase.entity.quantity !== undefined) return phrase;
  return { ...phrase, isPlural: true, entity: { ...phrase.entity, quantity } };
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

function makePhrase({ caption, tokens, tags }: TaggedSentence, from: number, to: number): NounPhrase {
  const { start } = tokens[from]!;
  const { text: head, end } = tokens[to - 1]!;
  const lemma = nounLemma(head);
  const words = tokens.slice(from, to - 1).map(({ text }) => text);
  const quantity = words.find((_, k) => tags[from + k] === 'number');
  // "hot" is not an attribute of a hot dog.
  const isPartOfName = (k: number) => k === words.length - 1 && !colors.has(words[k]!) && isCompound(words[k]!, head);
  const adjectives = words.filter((_, k) => tags[from + k] === 'adjective' && !isPartOfName(k));
  const span = caption.slice(start, end);
  const named = words.filter(
    (text, k) => tags[from + k] === 'noun' || (tags[from + k] === 'adjective' && !adjectives.includes(text)),
  );
  // The lemma of "people" is `person`, its name stays `people`.
  const name = [...named, head === 'people' ? head : lemma].join(' ');
  return {
    entity: {
      span,
      start,
      end,
      head,
      lemma,
      ...(name === span.toLowerCase() ? {} : { name }),
      attributes: attributesOf(adjectives),
      ...(quantity === undefined ? {} : { quantity }),
    },
    // "dressed in pink"
    nounClass: colors.has(head) ? 'garment' : nounClass(lemma, tokens[to - 2]?.text),
    isPlural: head !== lemma || (quantity !== undefined && quantity !== 'one' && quantity !== '1'),
    isDetermined: tags[from - 1] === 'determiner' || quantity !== undefined,
    ...(tags[from - 1] === 'determiner' && { determiner: tokens[from - 1]! }),
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
