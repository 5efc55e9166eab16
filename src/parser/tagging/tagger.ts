import { readFileSync } from 'node:fs';
import { memoize } from '../language/memoize.js';
import {
  boundary,
  contextFeatures,
  contextLength,
  firstState,
  nextState,
  type TaggableWord,
  taggableWord,
  verbEnd,
  weightIndex,
  wordFeatures,
} from './tagger-features.js';
import { decodeTagger, type TaggerModel } from './tagger-model.js';
import { possibleTags, tagNames } from './word-tags.js';

const width = tagNames.length;
/** Offsets of the scores of a word for the tags of itself and of its neighbors. */
const OWN = 0;
const BEFORE = width;
const TWO_BEFORE = 2 * width;
const AFTER = 3 * width;
const TWO_AFTER = 4 * width;

interface ScoredWord extends TaggableWord {
  /** The sums of the weights of its features for each tag, in five rows. */
  readonly scores: Int16Array;
}

/** Tags the words of sentences from left to right, each with the tag of the highest sum of the weights of its features. */
export class Tagger {
  readonly #weights: Int8Array;
  readonly #bits: number;
  readonly #wordOf: (text: string) => ScoredWord;
  readonly #boundary: ScoredWord;
  readonly #features = new Int32Array(contextLength);

  constructor({ words, weights, bits }: TaggerModel) {
    this.#weights = weights;
    this.#bits = bits;
    const scored = (text: string, word: TaggableWord) => ({ ...word, scores: this.#scoresOf(text, word) });
    this.#wordOf = memoize(20_000, (text) => scored(text, taggableWord(text, words.get(text) ?? possibleTags(text))));
    this.#boundary = scored('', boundary);
  }

  /** @param texts lower-case words @returns for each word, the number of its tag in `tagNames` */
  tag(texts: readonly string[]): Uint8Array {
    const words = texts.map(this.#wordOf);
    const tags = new Uint8Array(words.length);
    const end = verbEnd(words);
    let state = firstState(end);
    for (let k = 0; k < words.length; k++) {
      const { tags: possible } = words[k]!;
      tags[k] = (possible & (possible - 1)) === 0 ? 31 - Math.clz32(possible) : this.#best(words, tags, k, state);
      state = nextState(state, tags[k]!, k, end);
    }
    return tags;
  }

  #best(words: readonly ScoredWord[], tags: Uint8Array, k: number, state: number): number {
    const features = this.#features;
    contextFeatures(words, tags, k, state, features);
    const { scores: own, tags: possible } = words[k]!;
    const { scores: before } = words[k - 1] ?? this.#boundary;
    const { scores: twoBefore } = words[k - 2] ?? this.#boundary;
    const { scores: after } = words[k + 1] ?? this.#boundary;
    const { scores: twoAfter } = words[k + 2] ?? this.#boundary;
    let best = 0;
    let highest = Number.NEGATIVE_INFINITY;
    for (let rest = possible; rest !== 0; rest &= rest - 1) {
      const tag = 31 - Math.clz32(rest & -rest);
      let sum =
        own[OWN + tag]! +
        before[BEFORE + tag]! +
        twoBefore[TWO_BEFORE + tag]! +
        after[AFTER + tag]! +
        twoAfter[TWO_AFTER + tag]!;
      for (let i = 0; i < contextLength; i++) sum += this.#weights[weightIndex(features[i]!, tag, this.#bits)]!;
      if (sum > highest) {
        highest = sum;
        best = tag;
      }
    }
    return best;
  }

  #scoresOf(text: string, word: TaggableWord): Int16Array {
    const { own, before, twoBefore, after, twoAfter } = wordFeatures(text, word);
    const scores = new Int16Array(5 * width);
    for (const [row, features] of [own, before, twoBefore, after, twoAfter].entries())
      for (const feature of features)
        for (let tag = 0; tag < width; tag++)
          scores[row * width + tag]! += this.#weights[weightIndex(feature, tag, this.#bits)]!;
    return scores;
  }
}

let tagger: Tagger | undefined;

/** Tags the words of one sentence with the shipped model, which is loaded on first use. @see Tagger.tag */
export function tagWords(words: readonly string[]): Uint8Array {
  tagger ??= new Tagger(decodeTagger(readFileSync(new URL('tagger.model', import.meta.url))));
  return tagger.tag(words);
}
