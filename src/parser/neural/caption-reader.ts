import { memoize } from '../language/memoize.js';
import { prepositionLength, startsPreposition } from '../language/prepositions.js';
import type { Token } from '../language/tokenize.js';
import type { ParserKernels } from './kernels/parser-kernels.js';
import { ModelWords } from './model-words.js';
import { windowSize } from './network-parameters.js';
import type { ParserModel } from './parser-model.js';
import { type ReadPlan, readPlan } from './read-plan.js';
import { prepositionsAt } from './relation-labels.js';
import { Spelling } from './spelling.js';
import { isOneNoun, startsCompound, verbOf } from './word-inputs.js';

/** Words from the first to the one after the last. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

/** An attribute and the mentions that it is said of. */
export interface AttributeReading extends TokenSpan {
  readonly mentions: readonly number[];
}

/** What two mentions have to do with each other. */
export interface MentionReading {
  readonly subject: number;
  readonly object: number;
  /** Verbs as lemmas. */
  readonly predicate: string;
  /** Index of the word that is the predicate's verb, or -1 where the label says it all. */
  readonly verb: number;
  /** In [0, 1]. */
  readonly confidence: number;
}

/** What a caption says, in terms of its words. */
export interface CaptionReading {
  /** Its tokens' words, their spelling repaired. */
  readonly words: readonly string[];
  readonly mentions: readonly TokenSpan[];
  readonly attributes: readonly AttributeReading[];
  readonly relations: readonly MentionReading[];
}

/** Most words of a caption; more are not read. */
export const maxWords = 512;
const limits = {
  rows: maxWords,
  /** The taggings of a caption that are read to the end. */
  readings: 3,
  severalRows: 64,
  /** Words that are kept in mind; captions have few. */
  words: 8192,
};
/** In nats: what the tags alone make less likely than that, relations do not save. */
const reach = 1.5;

/** What a word is, found out once. */
interface KnownWord {
  /** Its spelling repaired. */
  readonly word: string;
  /** Where it lies among `given`. */
  readonly slot: number;
  /** The verb that it may be in a predicate. */
  readonly verb: string | undefined;
  readonly startsPreposition: boolean;
  /** Whether it is one noun with the word after it; undefined where it starts no noun of two words. */
  readonly isOneNounWith: ((next: string) => boolean) | undefined;
}

/** Words after a word that are kept in mind. */
const knownNext = 256;

/** Reads one caption at a time with a trained network. */
export class CaptionReader {
  readonly #model: ParserModel;
  readonly #kernels: ParserKernels;
  readonly #plan: ReadPlan;
  readonly #word: Float32Array;
  readonly #words: ModelWords;
  readonly #speller: Spelling;
  /** By a word as captions spell it. */
  readonly #known = new Map<string, KnownWord>();

  constructor(kernels: ParserKernels, model: ParserModel) {
    this.#model = model;
    this.#kernels = kernels;
    this.#plan = readPlan(kernels, model.sizes, model.parameters, model.labels, limits);
    this.#speller = new Spelling(model.counts);
    this.#word = kernels.floats(model.sizes.input);
    this.#words = new ModelWords(model);
  }

  /** @param tokens at most `maxWords` */
  read(tokens: readonly Token[]): CaptionReading {
    const rows = tokens.length;
    if (rows === 0) return { words: [], mentions: [], attributes: [], relations: [] };
    if (this.#known.size + rows > limits.words) this.#known.clear();
    const known = tokens.map(({ text }) => this.#knownWord(text));
    const words = known.map(({ word }) => word);
    this.#tell(words, known);
    this.#kernels.read(this.#plan.addresses, rows, rows > limits.severalRows ? 1 : limits.readings, reach);
    return this.#found(words, known);
  }

  /** Tells the plan of each word. */
  #tell(words: readonly string[], known: readonly KnownWord[]): void {
    const { slots, compoundFlags, fillings } = this.#plan;
    let isSecond = false;
    for (let t = 0; t < words.length; t++) {
      const { slot, verb, startsPreposition, isOneNounWith } = known[t]!;
      const isFirst = isOneNounWith !== undefined && t + 1 < words.length && isOneNounWith(words[t + 1]!);
      const isPreposition = startsPreposition && prepositionLength(words, t) > 0;
      slots[t] = slot;
      compoundFlags[t] = (isFirst ? 2 : 0) + (isSecond ? 1 : 0);
      fillings[t] = (verb === undefined ? 0 : 1) + (isPreposition ? 2 : 0);
      isSecond = isFirst;
    }
  }

  /** What the kernels found. */
  #found(words: readonly string[], known: readonly KnownWord[]): CaptionReading {
    const { found, confidences } = this.#plan;
    const { labels } = this.#model;
    const mentions: TokenSpan[] = [];
    const attributes: AttributeReading[] = [];
    const relations: MentionReading[] = [];
    let at = 3;
    for (let n = found[0]!; n > 0; n--) mentions.push({ start: found[at++]!, end: found[at++]! });
    for (let n = found[1]!; n > 0; n--) {
      const [start, end] = [found[at++]!, found[at++]!];
      const owners: number[] = [];
      for (let count = found[at++]!; count > 0; count--) owners.push(found[at++]!);
      attributes.push({ start, end, mentions: owners });
    }
    for (let n = 0; n < found[2]!; n++, at += 5) {
      const [first, second, label, verb, preposition] = [
        found[at]!,
        found[at + 1]!,
        found[at + 2]!,
        found[at + 3]!,
        found[at + 4]!,
      ];
      const isForward = labels.isForward[label] === 1;
      relations.push({
        subject: isForward ? first : second,
        object: isForward ? second : first,
        predicate: labels.predicate(
          label,
          verb < 0 ? '' : known[verb]!.verb!,
          preposition < 0 ? '' : prepositionsAt(words, preposition)!,
        ),
        verb,
        confidence: confidences[n]!,
      });
    }
    return { words, mentions, attributes, relations };
  }

  #knownWord(spelt: string): KnownWord {
    let known = this.#known.get(spelt);
    if (known) return known;
    const word = this.#speller.repair(spelt);
    known = {
      word,
      slot: this.#known.size,
      verb: verbOf(word),
      startsPreposition: startsPreposition(word),
      isOneNounWith: startsCompound(word) ? memoize(knownNext, (next) => isOneNoun(word, next)) : undefined,
    };
    this.#give(word, known.slot);
    this.#known.set(spelt, known);
    return known;
  }

  /** Fills a word's slot. */
  #give(word: string, slot: number): void {
    const { sizes, parameters } = this.#model;
    const { input, hidden } = sizes;
    const { window } = parameters;
    const x = this.#word;
    this.#words.read(word, x);
    for (let place = 0; place < windowSize; place++) {
      const weights = window.subarray(place * input * hidden, (place + 1) * input * hidden);
      const start = (slot * windowSize + place) * hidden;
      this.#kernels.linear(1, x, 0, input, weights, null, this.#plan.given, start, hidden);
    }
  }
}
