import type { Heap } from './kernels/heap.js';
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
const cachedWords = 20_000;

/** What a word is, found out once. */
interface KnownWord {
  /** What it gives to the rows around it: for each place in the window that it can stand at, `[window, hidden]`. */
  readonly given: Float32Array;
  /** The verb that it may be in a predicate. */
  readonly verb: string | undefined;
}

/** Reads one caption at a time with a trained network. */
export class CaptionReader {
  readonly #model: ParserModel;
  readonly #a: Activations;
  readonly #word: Float32Array;
  readonly #known = new Map<string, KnownWord>();

  constructor(heap: Heap, model: ParserModel) {
    const { sizes } = model.network;
    this.#model = model;
    this.#a = new Activations(heap, sizes, maxWords, pairReach * maxWords);
    this.#word = heap.floats(sizes.input + windowSize * sizes.hidden);
  }

  /** @param words lower case, at most `maxWords` */
  read(words: readonly string[]): CaptionReading {
    const rows = words.length;
    if (rows === 0) return { mentions: [], attributes: [], relations: [] };
    const { network } = this.#model;
    const a = this.#a;
    const caption = [{ start: 0, length: rows }];
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
    words.forEach(({ given }, t) => {
      for (let place = 0; place < windowSize; place++) {
        const row = t + windowReach - place;
        if (row < 0 || row >= words.length) continue;
        const [to, from] = [row * hidden, place * hidden];
        for (let k = 0; k < hidden; k++) sums[to + k]! += given[from + k]!;
      }
    });
  }

  #knownWord(word: string): KnownWord {
    let known = this.#known.get(word);
    if (known) return known;
    known = { given: this.#given(word), verb: verbOf(word) };
    if (this.#known.size >= cachedWords) this.#known.clear();
    this.#known.set(word, known);
    return known;
  }

  #given(word: string): Float32Array {
    const { network } = this.#model;
    const { input, hidden } = network.sizes;
    const { affixes, shapes, window } = network.parameters;
    const x = this.#word.subarray(0, input);
    x.set(this.#model.vectorOf(word));
    const form = wordForm(word);
    const add = (table: Float32Array, row: number) => {
      for (let k = 0; k < input; k++) x[k]! += table[row * input + k]!;
    };
    for (const affix of form.affixes) add(affixes, affix);
    add(shapes, form.shape);
    const given = this.#word.subarray(input);
    given.fill(0);
    for (let place = 0; place < windowSize; place++) {
      const weights = window.subarray(place * input * hidden);
      network.heap.multiply(1, hidden, input, x, { row: input, column: 1 }, weights, given.subarray(place * hidden));
    }
    return given.slice();
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
      const { best: label, probability } = likeliest(
        this.#a.labelScores.subarray(n * stride, n * stride + labels.size),
      );
      if (label === NONE) return;
      const [subject, object] = labels.isForward(label) ? [first, second] : [second, first];
      let confidence = probability;
      const fill = (slot: Slot, isOpen: boolean): number => {
        if (!isOpen) return -1;
        network.seek(this.#a, slot, n, 1);
        const chosen = likeliest(places[slot].map((t) => network.slotScore(this.#a, slot, n, t)));
        confidence *= chosen.probability;
        return places[slot][chosen.best] ?? -1;
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
    const owned = attributes.map(({ start, end }): AttributeReading & { mentions: number[] } => ({ start, end, mentions: [] }));
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

/** @returns index 0 and probability 0 where there are no scores */
function likeliest(scores: ArrayLike<number>): { best: number; probability: number } {
  if (scores.length === 0) return { best: 0, probability: 0 };
  let best = 0;
  for (let k = 1; k < scores.length; k++) if (scores[k]! > scores[best]!) best = k;
  const top = scores[best]!;
  let sum = 0;
  // What is a millionth as likely changes nothing.
  for (let k = 0; k < scores.length; k++) if (scores[k]! > top - 14) sum += Math.exp(scores[k]! - top);
  return { best, probability: 1 / sum };
}
