import type { Heap } from './kernels/heap.js';
import {
  Activations,
  attributeDistanceOf,
  distanceOf,
  type OwnerRows,
  type PairRows,
  type SpanRows,
  stepsOf,
  tagStride,
  windowReach,
} from './network.js';
import type { ParserModel } from './parser-model.js';
import { NONE } from './relation-labels.js';
import { likeliestTags, taggedSpans } from './tag-sequence.js';
import { compoundFlags, verbOf, wordForm } from './word-inputs.js';

/** Pairs of mentions with more mentions between them are not looked at. */
export const pairReach = 6;

/** What a caption says, in terms of its words. */
export interface CaptionReading {
  readonly mentions: readonly { readonly start: number; readonly end: number }[];
  readonly attributes: readonly { readonly start: number; readonly end: number; readonly mentions: readonly number[] }[];
  readonly relations: readonly MentionReading[];
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

/** Reads one caption at a time with a trained network. */
export class CaptionReader {
  readonly #model: ParserModel;
  readonly #a: Activations;
  readonly #word: Float32Array;
  readonly #windows = new Map<string, Float32Array>();

  constructor(heap: Heap, model: ParserModel) {
    const { sizes } = model.network;
    this.#model = model;
    this.#a = new Activations(heap, sizes, maxWords + 2 * windowReach, pairReach * maxWords);
    this.#word = heap.floats(sizes.input + (2 * windowReach + 1) * sizes.hidden);
  }

  /** @param words lower case, at most `maxWords` */
  read(words: readonly string[]): CaptionReading {
    const length = words.length;
    if (length === 0) return { mentions: [], attributes: [], relations: [] };
    const { network } = this.#model;
    const a = this.#a;
    const rows = length + 2 * windowReach;
    const caption = { start: windowReach, length };
    this.#sumWindows(words, rows);
    const compounds = new Uint8Array(rows);
    compounds.set(compoundFlags(words), windowReach);
    network.tag(a, [caption], rows, compounds);
    const { transitions, starts } = network.parameters;
    const tags = likeliestTags({ tagScores: a.tagScores, transitions, starts }, windowReach, length);
    const tagRows = new Uint8Array(rows);
    tagRows.set(tags, windowReach);
    network.read(a, [caption], rows, tagRows);
    const spans = taggedSpans(tags);
    const mentions = spans.filter(({ kind }) => kind === 'entity');
    const attributes = spans.filter(({ kind }) => kind === 'attribute');
    return {
      mentions,
      relations: this.#relations(words, rows, mentions),
      attributes: this.#owners(mentions, attributes),
    };
  }

  /** The same sums as `Network.sumWindows`, of what each word gives to each place around it. */
  #sumWindows(words: readonly string[], rows: number): void {
    const { hidden } = this.#model.network.sizes;
    const sums = this.#a.windowed;
    sums.fill(0, 0, rows * hidden);
    words.forEach((word, t) => {
      const given = this.#windowOf(word);
      for (let offset = 0; offset <= 2 * windowReach; offset++) {
        // A word at distance `offset - reach` after a row is what the row sees at `offset`.
        const row = t + 2 * windowReach - offset;
        const [to, from] = [row * hidden, offset * hidden];
        for (let k = 0; k < hidden; k++) sums[to + k]! += given[from + k]!;
      }
    });
  }

  #windowOf(word: string): Float32Array {
    const known = this.#windows.get(word);
    if (known) return known;
    const { network } = this.#model;
    const { input, hidden } = network.sizes;
    const { affixes, shapes, window } = network.parameters;
    const x = this.#word.subarray(0, input);
    x.set(this.#model.vectorOf(word) ?? this.#model.vectorOf('') ?? new Float32Array(input));
    const form = wordForm(word);
    const add = (table: Float32Array, row: number) => {
      for (let k = 0; k < input; k++) x[k]! += table[row * input + k]!;
    };
    for (const affix of form.affixes) add(affixes, affix);
    add(shapes, form.shape);
    const given = this.#word.subarray(input);
    given.fill(0);
    for (let offset = 0; offset <= 2 * windowReach; offset++)
      network.heap.multiply(
        1,
        hidden,
        input,
        x,
        { row: input, column: 1 },
        window.subarray(offset * input * hidden),
        given.subarray(offset * hidden),
      );
    if (this.#windows.size >= cachedWords) this.#windows.clear();
    const kept = given.slice();
    this.#windows.set(word, kept);
    return kept;
  }

  #relations(words: readonly string[], rows: number, mentions: readonly { start: number; end: number }[]): MentionReading[] {
    const { network, labels } = this.#model;
    const { labels: stride } = network.sizes;
    const pairs: PairRows[] = [];
    for (let second = 1; second < mentions.length; second++)
      for (let first = Math.max(0, second - pairReach); first < second; first++) {
        const [from, to] = [mentions[first]!.end, mentions[second]!.start];
        pairs.push({
          first,
          second,
          from: from + windowReach,
          to: to + windowReach,
          distance: distanceOf(to - from),
          steps: stepsOf(second - first),
        });
      }
    if (pairs.length === 0) return [];
    network.relate(this.#a, rows, spanRows(mentions), pairs);
    const verbs = words.map((word) => verbOf(word));
    return pairs.flatMap(({ first, second }, n) => {
      const { best: label, probability } = likeliest(
        this.#a.labelScores.subarray(n * stride, n * stride + labels.size),
      );
      if (label === NONE) return [];
      const [subject, object] = labels.isForward(label) ? [first, second] : [second, first];
      if (!labels.open[label])
        return [{ subject, object, predicate: labels.predicate(label, ''), verb: -1, confidence: probability }];
      const places = verbs.flatMap((verb, t) => (verb === undefined ? [] : [t]));
      if (places.length === 0) return [];
      const chosen = likeliest(places.map((t) => network.verbScore(this.#a, n, t + windowReach)));
      const verb = places[chosen.best]!;
      const predicate = labels.predicate(label, verbs[verb]!);
      return [{ subject, object, predicate, verb, confidence: probability * chosen.probability }];
    });
  }

  #owners(mentions: readonly { start: number; end: number }[], attributes: readonly { start: number; end: number }[]) {
    const owners: OwnerRows[] = attributes.flatMap((attribute, index) =>
      mentions.flatMap((mention, m) =>
        Math.abs(mention.start - attribute.end) > ownerReach
          ? []
          : [{ attribute: index, mention: m, distance: attributeDistanceOf(mention.start - attribute.end) }],
      ),
    );
    if (owners.length > 0) this.#model.network.own(this.#a, spanRows(attributes), spanRows(mentions), owners);
    const scores = owners.map((owner, n) => ({ ...owner, score: this.#a.ownerScores[n * tagStride]! }));
    return attributes.map(({ start, end }, index) => {
      const own = scores.filter(({ attribute }) => attribute === index);
      const likely = own.filter(({ score }) => score > 0);
      // An attribute is said of something, even if of nothing surely.
      const chosen = likely.length > 0 ? likely : own.toSorted((a, b) => b.score - a.score).slice(0, 1);
      return { start, end, mentions: chosen.map(({ mention }) => mention) };
    });
  }
}

/** Mentions further away, in words, own no attribute. */
const ownerReach = 24;

const spanRows = (spans: readonly { start: number; end: number }[]): SpanRows[] =>
  spans.map(({ start, end }) => ({ first: start + windowReach, last: end - 1 + windowReach }));

function likeliest(scores: ArrayLike<number>): { best: number; probability: number } {
  let best = 0;
  for (let k = 1; k < scores.length; k++) if (scores[k]! > scores[best]!) best = k;
  let sum = 0;
  for (let k = 0; k < scores.length; k++) sum += Math.exp(scores[k]! - scores[best]!);
  return { best, probability: 1 / sum };
}
