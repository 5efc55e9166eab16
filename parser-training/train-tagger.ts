import { memoize } from '../src/parser/language/memoize.js';
import { Tagger } from '../src/parser/tagging/tagger.js';
import {
  boundary,
  contextFeatures,
  contextLength,
  firstState,
  nextState,
  type TaggableWord,
  taggableWord,
  verbEnd,
  type WordFeatures,
  weightIndex,
  wordFeatures,
} from '../src/parser/tagging/tagger-features.js';
import type { TaggerModel } from '../src/parser/tagging/tagger-model.js';
import { possibleTags, tagNames, tagNumbers, type WordTag } from '../src/parser/tagging/word-tags.js';
import { Random } from '../src/records/random.js';
import { byteWeights } from './byte-weights.js';
import { tagCounts } from './tag-counts.js';

/** A sentence with the numbers of the tags of its words. */
export interface TaggedSentence {
  readonly words: readonly string[];
  readonly tags: Uint8Array;
}

export interface TaggerOptions {
  readonly epochs: number;
  /** Perceptrons that learn from the sentences in other orders, whose weights are averaged: a rare word then depends less on chance. */
  readonly perceptrons: number;
  /** Binary logarithm of the number of weights. */
  readonly bits: number;
  readonly seed: number;
}

export const defaultTaggerOptions: TaggerOptions = {
  epochs: 8,
  perceptrons: 4,
  bits: 19,
  seed: 1,
};

/** Words that are seen as often have no other tags than those seen. */
const SURE = 300;
/** A word is known that is seen as often. */
const KNOWN = 3;
/** Share of the tags of a word below which one counts as a mistake of the teacher. */
const LEAST_SHARE = 0.004;
/** Share of the words that are learned from by their endings and neighbors alone, as unknown words are tagged. */
const VEILED = 0.1;
/** Hash of a word in their place. */
const UNKNOWN = 1;
/** Factor of the averaged weights, so that bytes round them well. */
const SCALE = 4;

/** Trains a tagger: a perceptron, whose weights are averaged over all steps. The same sentences give the same model. */
export function trainTagger(sentences: readonly TaggedSentence[], options = defaultTaggerOptions): TaggerModel {
  const words = knownWords(sentences);
  const learnable = memoize(Number.POSITIVE_INFINITY, (text: string): LearnableWord => {
    const word = taggableWord(text, words.get(text) ?? possibleTags(text));
    return { ...word, ...wordFeatures(text, word) };
  });
  const veiled = memoize(Number.POSITIVE_INFINITY, (text: string): LearnableWord => {
    const word = { ...learnable(text), hash: UNKNOWN, stem: UNKNOWN };
    return { ...word, ...wordFeatures(text, word) };
  });
  const examples = sentences.map(({ words: texts, tags }) => ({ texts, words: texts.map(learnable), tags }));
  const sums = new Float64Array(2 ** options.bits);
  for (let n = 0; n < options.perceptrons; n++) {
    const random = new Random(options.seed + n);
    const perceptron = new Perceptron(options.bits);
    const order = examples.slice();
    for (let epoch = 0; epoch < options.epochs; epoch++) {
      random.shuffle(order);
      for (const { texts, words: of, tags } of order)
        perceptron.learn(
          of.map((word, at) => (random.next() < VEILED ? veiled(texts[at]!) : word)),
          tags,
        );
    }
    for (const [at, weight] of perceptron.averages().entries()) sums[at]! += weight / options.perceptrons;
  }
  return { words, weights: byteWeights(sums, SCALE), bits: options.bits };
}

/** Returns the tags that the words of sentences can have. */
function knownWords(sentences: readonly TaggedSentence[]): Map<string, number> {
  const known = new Map<string, number>();
  for (const [word, found] of tagCounts(sentences)) {
    const all = found.reduce((sum, count) => sum + count);
    if (all < KNOWN) continue;
    let tags = all < SURE ? possibleTags(word) : 0;
    // "A sitting cat" is rare among those that are "sitting on".
    for (const [tag, count] of found.entries())
      if (
        count > 0 &&
        (count >= all * LEAST_SHARE || (tag === tagNumbers.JJ && count >= KNOWN && word.endsWith('ing')))
      )
        tags |= 1 << tag;
    if (tags !== possibleTags(word)) known.set(word, tags);
  }
  return known;
}

type LearnableWord = TaggableWord & WordFeatures;

const edge: LearnableWord = { ...boundary, ...wordFeatures('', boundary) };

class Perceptron {
  readonly #bits: number;
  readonly #weights: Int32Array;
  /** The sum of all changes, each times the step at which it was made. */
  readonly #changes: Float64Array;
  readonly #context = new Int32Array(contextLength);
  #step = 1;

  constructor(bits: number) {
    this.#bits = bits;
    this.#weights = new Int32Array(2 ** bits);
    this.#changes = new Float64Array(2 ** bits);
  }

  /** Tags a sentence as the tagger does, and changes the weights at each mistake. */
  learn(words: readonly LearnableWord[], gold: Uint8Array): void {
    const tags = new Uint8Array(words.length);
    const end = verbEnd(words);
    let state = firstState(end);
    for (let k = 0; k < words.length; k++) {
      const possible = words[k]!.tags;
      if ((possible & (possible - 1)) === 0) tags[k] = 31 - Math.clz32(possible);
      else {
        contextFeatures(words, tags, k, state, this.#context);
        const features = [
          words[k]!.own,
          (words[k - 1] ?? edge).before,
          (words[k - 2] ?? edge).twoBefore,
          (words[k + 1] ?? edge).after,
          (words[k + 2] ?? edge).twoAfter,
          this.#context,
        ];
        tags[k] = this.#best(features, possible);
        const right = gold[k]!;
        if (tags[k] !== right && (possible >> right) & 1) {
          this.#change(features, right, 1);
          this.#change(features, tags[k]!, -1);
        }
        this.#step++;
      }
      state = nextState(state, tags[k]!, k, end);
    }
  }

  #best(features: readonly Int32Array[], possible: number): number {
    let best = 0;
    let highest = Number.NEGATIVE_INFINITY;
    for (let tag = 0; tag < tagNames.length; tag++) {
      if (((possible >> tag) & 1) === 0) continue;
      let sum = 0;
      for (const group of features)
        for (let i = 0; i < group.length; i++) sum += this.#weights[weightIndex(group[i]!, tag, this.#bits)]!;
      if (sum <= highest) continue;
      highest = sum;
      best = tag;
    }
    return best;
  }

  #change(features: readonly Int32Array[], tag: number, by: number): void {
    for (const group of features)
      for (const feature of group) {
        const at = weightIndex(feature, tag, this.#bits);
        this.#weights[at]! += by;
        this.#changes[at]! += by * this.#step;
      }
  }

  /** Returns the averages of the weights over all steps. */
  averages(): Float64Array {
    return Float64Array.from(this.#weights, (weight, at) => weight - this.#changes[at]! / this.#step);
  }
}

/** Counts the words of sentences, in total and by their tags, and those to which a model gives the same tag. */
export function taggerAgreement(
  model: TaggerModel,
  sentences: readonly TaggedSentence[],
): Map<WordTag | 'all', { words: number; right: number }> {
  const tagger = new Tagger(model);
  const counts = new Map<WordTag | 'all', { words: number; right: number }>();
  for (const { words, tags } of sentences) {
    const found = tagger.tag(words);
    for (const [k, tag] of tags.entries())
      for (const name of ['all', tagNames[tag]!] as const) {
        const count = counts.get(name) ?? { words: 0, right: 0 };
        counts.set(name, count);
        count.words++;
        if (found[k] === tag) count.right++;
      }
  }
  return counts;
}
