import { hashOf, mix } from '../language/hash.js';
import { isVerb, nounLemma, verbLemma } from '../language/lemma.js';
import { nounClass } from '../language/noun-classes.js';
import { tagBits, tagNumbers } from './word-tags.js';

/** What the features of a sentence use of its words. */
export interface TaggableWord {
  readonly kind: number;
  readonly hash: number;
  /** Hash of its infinitive if that is a verb, or of its singular. */
  readonly stem: number;
  /** The tags that it can have, as bits. */
  readonly tags: number;
}

/** Hashes of the features of a word alone: for its own tag, and for those of its neighbors. */
export interface WordFeatures {
  readonly own: Int32Array;
  readonly before: Int32Array;
  readonly twoBefore: Int32Array;
  readonly after: Int32Array;
  readonly twoAfter: Int32Array;
}

/** Returns the key of a word that can have these tags. */
export function taggableWord(text: string, tags: number): TaggableWord {
  const verb = verbLemma(text);
  return {
    kind: hashOf(nounClass(nounLemma(text))),
    hash: hashOf(text),
    stem: hashOf(isVerb(verb) ? verb : nounLemma(text)),
    tags,
  };
}

/** Stands for what is before and after a sentence. */
export const boundary = taggableWord('', tagBits('X'));

/** Returns the features of a word alone. */
export function wordFeatures(text: string, { hash, stem, tags }: TaggableWord): WordFeatures {
  const ending = (length: number) => hashOf(text.slice(-length), length);
  const shape = (text.includes('-') ? 1 : 0) + (/\d/.test(text) ? 2 : 0);
  const of = (role: number, ...parts: readonly number[]) =>
    Int32Array.from(parts, (part, k) => mix(role * 16 + k, part));
  return {
    own: of(
      1,
      ...[hash, stem, tags, shape, ending(1), ending(2), ending(3), ending(4), hashOf(text.slice(0, 3))],
      ...[mix(tags, ending(2)), mix(stem, tags)],
    ),
    before: of(2, hash, stem, ending(3)),
    twoBefore: of(3, hash),
    after: of(4, hash, stem, ending(3), tags),
    twoAfter: of(5, hash, tags),
  };
}

/** Number of features of a word together with its neighbors. */
export const contextLength = 18;
/** Stands for the tag of what is before a sentence. */
const NO_TAG = 31;

/**
 * Finds the features of a word together with its neighbors.
 * @param words of the sentence
 * @param tags numbers of the tags of the words before `k`
 * @param state of the sentence before `k`
 * @param found is overwritten
 */
export function contextFeatures(
  words: readonly TaggableWord[],
  tags: Uint8Array,
  k: number,
  state: number,
  found: Int32Array,
): void {
  const word = words[k]!;
  const before = words[k - 1] ?? boundary;
  const after = words[k + 1] ?? boundary;
  const afterNext = words[k + 2] ?? boundary;
  const last = k > 0 ? tags[k - 1]! : NO_TAG;
  const lastTwo = last * 32 + (k > 1 ? tags[k - 2]! : NO_TAG);
  const lastThree = lastTwo * 32 + (k > 2 ? tags[k - 3]! : NO_TAG);
  const around = mix(word.tags, after.tags);
  found[0] = mix(100, last);
  found[1] = mix(101, lastTwo);
  found[2] = mix(mix(102, lastThree), word.tags);
  found[3] = mix(mix(103, last), word.hash);
  found[4] = mix(mix(104, last), word.stem);
  found[5] = mix(mix(105, last), after.hash);
  found[6] = mix(mix(106, last), mix(word.hash, after.tags));
  found[7] = mix(mix(107, lastTwo), around);
  found[8] = mix(mix(108, before.hash), word.hash);
  found[9] = mix(mix(109, word.hash), after.hash);
  found[10] = mix(mix(110, word.stem), around);
  found[11] = mix(mix(111, around), afterNext.tags);
  found[12] = mix(mix(112, state), word.tags);
  found[13] = mix(mix(113, state & 31), word.hash);
  found[14] = mix(mix(114, state & 31), mix(word.stem, word.tags));
  found[16] = mix(mix(116, last), mix(before.kind, around));
  found[17] = mix(mix(117, state), mix(before.kind, word.tags));
  found[15] = mix(mix(115, state), mix(last, around));
}

const finite = tagBits('VB', 'VBZ', 'VBD', 'AUX');
const clauseStarts = tagBits('SC', 'W');
const nouns = tagBits('NN', 'NNS', 'PRP');

/** Bits of the state of a sentence: what there was in its last clause, and what comes. */
const HAS_VERB = 1;
const IS_PLURAL = 2;
const HAS_NOUN = 4;
const VERB_FOLLOWS = 8;
const IS_LATER_CLAUSE = 16;
/** Whether the subject of the clause may be several things: its first noun is a plural, or there was an "and". */
const IS_GROUP = 32;
const HAS_AND = 64;
/** Whether a place comes first, after which the verb may precede its subject. */
const STARTS_WITH_PLACE = 128;

/** Returns the state of a sentence before its first word. */
export const firstState = (verbEnd: number): number => (verbEnd > 1 ? VERB_FOLLOWS : 0);

/** Returns the state of a sentence after a word. @param verbEnd of the sentence */
export function nextState(state: number, tag: number, k: number, verbEnd: number): number {
  const bit = 1 << tag;
  let next = k + 2 < verbEnd ? state : state & ~VERB_FOLLOWS;
  if (k === 0 && tag === tagNumbers.IN) next |= STARTS_WITH_PLACE;
  if (bit & finite) next = (next & ~HAS_AND) | HAS_VERB;
  else if (bit & clauseStarts) next = (next & VERB_FOLLOWS) | IS_LATER_CLAUSE;
  else if (tag === tagNumbers.CC) next |= HAS_AND;
  else if (bit & nouns) {
    if ((next & HAS_NOUN) === 0 && tag === tagNumbers.NNS) next |= IS_GROUP;
    next = (next & ~IS_PLURAL) | HAS_NOUN | (tag === tagNumbers.NNS ? IS_PLURAL : 0);
  }
  return next;
}

/** Returns the number of words up to the last one that can only be a finite verb. */
export function verbEnd(words: readonly TaggableWord[]): number {
  let k = words.length;
  while (k > 0 && (words[k - 1]!.tags & ~finite) !== 0) k--;
  return k;
}

/** Returns the index of the weight of a feature and a tag among 2^bits weights. */
export const weightIndex = (feature: number, tag: number, bits: number): number =>
  Math.imul(feature ^ Math.imul(tag + 1, 0x85ebca6b), 0xc2b2ae35) >>> (32 - bits);
