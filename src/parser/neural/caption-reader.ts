import { compoundEndings, isCompound } from '../language/lemma.js';
import { prepositionLength, startsPreposition } from '../language/prepositions.js';
import type { Token } from '../language/tokenize.js';
import { structIndices } from './kernels/create-struct.js';
import type { ParserKernels } from './kernels/parser-kernels.js';
import { ModelWords } from './model-words.js';
import { windowSize } from './network-parameters.js';
import type { ParserModel } from './parser-model.js';
import { createReadPlan, type ReadPlan } from './read-plan.js';
import { relationLabelPrepositions } from './relation-labels.js';
import { Spelling } from './spelling.js';
import { verbOf } from './word-inputs.js';

/** The first word of a span and the one after its last. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

/** An attribute and the mentions that own it. */
export interface AttributeReading extends TokenSpan {
  readonly mentions: readonly number[];
}

/** A relation between two mentions. */
export interface RelationReading {
  readonly subject: number;
  readonly object: number;
  /** Verbs are lemmas. */
  readonly predicate: string;
  /** In [0, 1]. */
  readonly confidence: number;
}

/** The mentions, attributes and relations of a caption, by indices of its words. */
export interface CaptionReading {
  /** The words of its tokens with corrected spelling. */
  readonly words: readonly string[];
  readonly mentions: readonly TokenSpan[];
  readonly attributes: readonly AttributeReading[];
  readonly relations: readonly RelationReading[];
}

/** Most words of a caption; the rest is not read. */
export const maxWords = 512;
const limits = { rows: maxWords, hypotheses: 3, comparedRows: 64, words: 8192 };
/** Taggings this far below the best one are not compared, in nats: their relations rarely make up for it. */
const margin = 2.5;

/** What is computed once for each word. */
interface KnownWord {
  /** With corrected spelling. */
  readonly word: string;
  /** Its index in the plan's `contributions`. */
  readonly id: number;
  /** The lemma that it has as a predicate's verb. */
  readonly verb: string | undefined;
  readonly startsPreposition: boolean;
  /** Whether it may form a compound noun with the next word. */
  readonly startsCompound: boolean;
}

const counts = structIndices('ResultCounts');
const span = structIndices('Span');
const attribute = structIndices('ResultAttribute');
const relation = structIndices('ResultRelation');

/** Reads captions with a trained network, one at a time. */
export class CaptionReader {
  readonly #model: ParserModel;
  readonly #kernels: ParserKernels;
  readonly #plan: ReadPlan;
  readonly #vector: Float32Array;
  readonly #words: ModelWords;
  readonly #spelling: Spelling;
  /** By a word as it is spelled in captions. */
  readonly #known = new Map<string, KnownWord>();

  constructor(kernels: ParserKernels, model: ParserModel) {
    this.#model = model;
    this.#kernels = kernels;
    this.#plan = createReadPlan(kernels, model.sizes, model.parameters, model.labels, limits);
    this.#spelling = new Spelling(model.counts);
    this.#vector = kernels.floats(model.sizes.input);
    this.#words = new ModelWords(model);
  }

  /**
   * @param tokens at most `maxWords`
   * @param taggings how many taggings to compare at most; default 3
   */
  read(tokens: readonly Token[], taggings: number = limits.hypotheses): CaptionReading {
    const rows = tokens.length;
    if (rows === 0) return { words: [], mentions: [], attributes: [], relations: [] };
    if (this.#known.size + rows > limits.words) this.#known.clear();
    const known = tokens.map(({ text }) => this.#knownWord(text));
    const words = known.map(({ word }) => word);
    this.#setInputs(words, known);
    const hypotheses = rows > limits.comparedRows ? 1 : taggings;
    this.#kernels.readCaption(this.#plan.address, rows, hypotheses, margin);
    return this.#result(words, known);
  }

  /** Writes a caption's words to the plan. */
  #setInputs(words: readonly string[], known: readonly KnownWord[]): void {
    const { wordIds, compoundFlags, fillerFlags } = this.#plan;
    let isSecond = false;
    for (let t = 0; t < words.length; t++) {
      const { id, verb, startsPreposition, startsCompound } = known[t]!;
      const isFirst = startsCompound && t + 1 < words.length && isCompound(words[t]!, words[t + 1]!);
      const isPreposition = startsPreposition && prepositionLength(words, t) > 0;
      wordIds[t] = id;
      compoundFlags[t] = (isFirst ? 2 : 0) + (isSecond ? 1 : 0);
      fillerFlags[t] = (verb === undefined ? 0 : 1) + (isPreposition ? 2 : 0);
      isSecond = isFirst;
    }
  }

  /** Decodes the result of the kernels. */
  #result(words: readonly string[], known: readonly KnownWord[]): CaptionReading {
    const { result, confidences } = this.#plan;
    const { labels } = this.#model;
    const mentions: TokenSpan[] = [];
    const attributes: AttributeReading[] = [];
    const relations: RelationReading[] = [];
    let at = counts.length;
    for (let n = result[counts.mentions]!; n > 0; n--, at += span.length)
      mentions.push({ start: result[at + span.start]!, end: result[at + span.end]! });
    for (let n = result[counts.attributes]!; n > 0; n--) {
      const [start, end] = [result[at + attribute.start]!, result[at + attribute.end]!];
      const owners: number[] = [];
      const count = result[at + attribute.owners]!;
      at += attribute.length;
      for (let k = 0; k < count; k++) owners.push(result[at++]!);
      attributes.push({ start, end, mentions: owners });
    }
    for (let n = 0; n < result[counts.relations]!; n++, at += relation.length) {
      const [first, second] = [result[at + relation.first]!, result[at + relation.second]!];
      const label = result[at + relation.label]!;
      const [verb, preposition] = [result[at + relation.verb]!, result[at + relation.preposition]!];
      const isForward = labels.isForward[label] === 1;
      relations.push({
        subject: isForward ? first : second,
        object: isForward ? second : first,
        predicate: labels.predicate(
          label,
          verb < 0 ? '' : known[verb]!.verb!,
          preposition < 0 ? '' : relationLabelPrepositions(words, preposition)!,
        ),
        confidence: confidences[n]!,
      });
    }
    return { words, mentions, attributes, relations };
  }

  #knownWord(spelled: string): KnownWord {
    let known = this.#known.get(spelled);
    if (known) return known;
    const word = this.#spelling.correct(spelled);
    known = {
      word,
      id: this.#known.size,
      verb: verbOf(word),
      startsPreposition: startsPreposition(word),
      startsCompound: compoundEndings(word) !== undefined,
    };
    this.#setContributions(word, known.id);
    this.#known.set(spelled, known);
    return known;
  }

  /** Computes what a word adds to each position of a window. */
  #setContributions(word: string, id: number): void {
    const { sizes, parameters } = this.#model;
    const { input, hidden } = sizes;
    const { window } = parameters;
    this.#words.read(word, this.#vector);
    for (let position = 0; position < windowSize; position++) {
      const weights = window.subarray(position * input * hidden, (position + 1) * input * hidden);
      const start = (id * windowSize + position) * hidden;
      this.#kernels.linear(1, this.#vector, 0, input, weights, null, this.#plan.contributions, start, hidden);
    }
  }
}
