import type { Kernels } from './kernels/kernels.js';
import {
  Activations,
  attributeDistanceOf,
  distanceOf,
  type OwnerRows,
  type PairRows,
  type Slot,
  type SpanRows,
  stepsOf,
  tagStride,
  windowReach,
  windowSize,
} from './network.js';
import type { ParserModel } from './parser-model.js';
import { readRow } from './quantized-rows.js';
import { NONE, prepositionsAt } from './relation-labels.js';
import { likeliestTags, taggedSpans } from './tag-sequence.js';
import { compoundFlags, verbOf, wordForm } from './word-inputs.js';

/** Pairs of mentions with more mentions between them are not looked at. */
export const pairReach = 6;

/** What a caption says, in terms of its words. */
export interface CaptionReading {
  readonly mentions: readonly TokenSpan[];
  readonly attributes: readonly AttributeReading[];
  readonly relations: readonly MentionReading[];
}

/** Words from the first to the one after the last. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

export interface AttributeReading extends TokenSpan {
  /** Which mentions it is said of. */
  readonly mentions: readonly number[];
}

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

/** Most words of a caption; more are not read. */
export const maxWords = 1024;
/** Words that are kept in mind; captions have few. */
const knownWords = 8192;

/** What a word is, found out once. */
interface KnownWord {
  /** Where it lies among `given`. */
  readonly slot: number;
  /** The verb that it may be in a predicate. */
  readonly verb: string | undefined;
}

/** Reads one caption at a time with a trained network. */
export class CaptionReader {
  readonly #model: ParserModel;
  readonly #a: Activations;
  readonly #kernels: Kernels;
  readonly #word: Float32Array;
  /** Word → its row among the model's vectors. */
  readonly #rowOf: ReadonlyMap<string, number>;
  /** What each known word gives to the rows around it, for each place in the window: `[words, window, hidden]`. */
  readonly #given: Float32Array;
  readonly #known = new Map<string, KnownWord>();

  constructor(kernels: Kernels, model: ParserModel) {
    const { sizes } = model.network;
    this.#model = model;
    this.#a = new Activations(kernels, sizes, maxWords, pairReach * maxWords);
    this.#kernels = kernels;
    this.#word = kernels.floats(sizes.input);
    this.#rowOf = new Map(model.words.words.map((word, row) => [word, row]));
    this.#given = kernels.floats(knownWords * windowSize * sizes.hidden);
  }

  /** @param words lower case, at most `maxWords` */
  read(words: readonly string[]): CaptionReading {
    const rows = words.length;
    if (rows === 0) return { mentions: [], attributes: [], relations: [] };
    const { network } = this.#model;
    const a = this.#a;
    const caption = [{ start: 0, length: rows }];
    if (this.#known.size + rows > knownWords) this.#known.clear();
    const known = words.map((word) => this.#knownWord(word));
    this.#sumWindows(known);
    network.tag(a, caption, rows, compoundFlags(words));
    const { transitions, starts } = network.parameters;
    const tags = likeliestTags({ tagScores: a.tagScores, transitions, starts }, 0, rows);
    network.read(a, caption, rows, tags);
    const spans = taggedSpans(tags);
    const mentions = spans.filter(({ kind }) => kind === 'entity');
    const attributes = spans.filter(({ kind }) => kind === 'attribute');
    return {
      mentions,
      relations: this.#relations(words, known, mentions),
      attributes: this.#owners(mentions, attributes),
    };
  }

  /** The same sums as `Network.sumWindows`, of what each word gives to the rows around it. */
  #sumWindows(words: readonly KnownWord[]): void {
    const { hidden } = this.#model.network.sizes;
    const sums = this.#a.windowed;
    sums.fill(0, 0, words.length * hidden);
    for (let t = 0; t < words.length; t++) {
      const { slot } = words[t]!;
      // Standing at `place` in the window of a row, a word is `windowReach - place` rows before it.
      for (let place = 0; place < windowSize; place++) {
        const row = t + windowReach - place;
        if (row < 0 || row >= words.length) continue;
        this.#kernels.add(sums, row * hidden, this.#given, (slot * windowSize + place) * hidden, hidden);
      }
    }
  }

  #knownWord(word: string): KnownWord {
    let known = this.#known.get(word);
    if (known) return known;
    known = { slot: this.#known.size, verb: verbOf(word) };
    this.#give(word, known.slot);
    this.#known.set(word, known);
    return known;
  }

  /** Fills a word's slot. */
  #give(word: string, slot: number): void {
    const { network } = this.#model;
    const { input, hidden } = network.sizes;
    const { affixes, shapes, window } = network.parameters;
    const x = this.#word;
    readRow(this.#model.words.rows, this.#rowOf.get(word) ?? 0, x);
    const form = wordForm(word);
    for (const affix of form.affixes) this.#kernels.add(x, 0, affixes, affix * input, input);
    this.#kernels.add(x, 0, shapes, form.shape * input, input);
    for (let place = 0; place < windowSize; place++) {
      const weights = window.subarray(place * input * hidden, (place + 1) * input * hidden);
      const start = (slot * windowSize + place) * hidden;
      this.#kernels.linear(1, x, input, weights, null, this.#given.subarray(start, start + hidden), hidden);
    }
  }

  #relations(words: readonly string[], known: readonly KnownWord[], mentions: readonly TokenSpan[]): MentionReading[] {
    const { network, labels } = this.#model;
    const { labels: stride } = network.sizes;
    const pairs: PairRows[] = [];
    for (let second = 1; second < mentions.length; second++)
      for (let first = Math.max(0, second - pairReach); first < second; first++) {
        const [from, to] = [mentions[first]!.end, mentions[second]!.start];
        pairs.push({ first, second, from, to, distance: distanceOf(to - from), steps: stepsOf(second - first) });
      }
    if (pairs.length === 0) return [];
    network.relate(this.#a, words.length, spanRows(mentions), pairs);
    const verbs = [...known.keys()].filter((t) => known[t]!.verb !== undefined);
    const prepositions = words.map((_, t) => prepositionsAt(words, t));
    const places = { verb: verbs, preposition: [...words.keys()].filter((t) => prepositions[t] !== undefined) };
    const relations: MentionReading[] = [];
    pairs.forEach(({ first, second }, n) => {
      const scores = this.#a.labelScores.subarray(n * stride, n * stride + labels.size);
      const label = largest(scores);
      if (label === NONE) return;
      const [subject, object] = labels.isForward(label) ? [first, second] : [second, first];
      let confidence = probability(scores, label);
      const fill = (slot: Slot, isOpen: boolean): number => {
        if (!isOpen) return -1;
        network.seek(this.#a, slot, n, 1);
        const fits = places[slot].map((t) => network.slotScore(this.#a, slot, n, t));
        const best = largest(fits);
        if (best < 0) return -1;
        confidence *= probability(fits, best);
        return places[slot][best]!;
      };
      const verb = fill('verb', labels.needsVerb[label] === 1);
      const preposition = fill('preposition', labels.needsPreposition[label] === 1);
      // A label that the caption has no word for says nothing.
      if ((labels.needsVerb[label] && verb < 0) || (labels.needsPreposition[label] && preposition < 0)) return;
      const predicate = labels.predicate(label, known[verb]?.verb ?? '', prepositions[preposition] ?? '');
      relations.push({ subject, object, predicate, verb, confidence });
    });
    return relations;
  }

  #owners(mentions: readonly TokenSpan[], attributes: readonly TokenSpan[]): AttributeReading[] {
    const owners: OwnerRows[] = [];
    attributes.forEach((span, attribute) => {
      mentions.forEach(({ start }, mention) => {
        if (Math.abs(start - span.end) > ownerReach) return;
        owners.push({ attribute, mention, distance: attributeDistanceOf(start - span.end) });
      });
    });
    if (owners.length > 0) this.#model.network.own(this.#a, spanRows(attributes), spanRows(mentions), owners);
    const owned = attributes.map(({ start, end }): AttributeReading & { mentions: number[] } => ({
      start,
      end,
      mentions: [],
    }));
    const best = new Float32Array(attributes.length).fill(Number.NEGATIVE_INFINITY);
    const likeliestOwner = new Int32Array(attributes.length).fill(-1);
    owners.forEach(({ attribute, mention }, n) => {
      const score = this.#a.ownerScores[n * tagStride]!;
      if (score > 0) owned[attribute]!.mentions.push(mention);
      if (score <= best[attribute]!) return;
      best[attribute] = score;
      likeliestOwner[attribute] = mention;
    });
    // An attribute is said of something, even if of nothing surely.
    owned.forEach(({ mentions: of }, attribute) => {
      if (of.length === 0 && likeliestOwner[attribute]! >= 0) of.push(likeliestOwner[attribute]!);
    });
    return owned;
  }
}

/** Mentions further away, in words, own no attribute. */
const ownerReach = 24;

const spanRows = (spans: readonly TokenSpan[]): SpanRows[] =>
  spans.map(({ start, end }) => ({ first: start, last: end - 1 }));

/** @returns -1 where there are no scores */
function largest(scores: ArrayLike<number>): number {
  let best = scores.length === 0 ? -1 : 0;
  for (let k = 1; k < scores.length; k++) if (scores[k]! > scores[best]!) best = k;
  return best;
}

/** Of the softmax, for the largest of some scores. What is a millionth as likely changes nothing. */
function probability(scores: ArrayLike<number>, best: number): number {
  let sum = 0;
  for (let k = 0; k < scores.length; k++) {
    const less = scores[k]! - scores[best]!;
    if (less > -14) sum += Math.exp(less);
  }
  return 1 / sum;
}
