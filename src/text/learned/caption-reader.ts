import { Activations, type OwnerRows } from './activations.js';
import type { Kernels } from './kernels/kernels.js';
import { attributeDistanceOf, tagStride, windowReach, windowSize } from './parameters.js';
import type { ParserModel } from './parser-model.js';
import { readRow } from './quantized-rows.js';
import {
  type Found,
  fillingsOf,
  type MentionReading,
  pairReach,
  RelationDecoder,
  spanRows,
  type TokenSpan,
} from './relation-decoder.js';
import { likeliestTags, taggedSpans } from './tag-sequence.js';
import { compoundFlags, verbOf, wordForm } from './word-inputs.js';

/** What a caption says, in terms of its words. */
export interface CaptionReading {
  readonly mentions: readonly TokenSpan[];
  readonly attributes: readonly AttributeReading[];
  readonly relations: readonly MentionReading[];
}

export interface AttributeReading extends TokenSpan {
  /** Which mentions it is said of. */
  readonly mentions: readonly number[];
}

/** Most words of a caption; more are not read. */
export const maxWords = 512;
/** How many taggings of a caption are read to the end, and how much less likely than the best they may be, in nats. */
const taggings = 3;
const taggingReach = 1.5;
/** Mentions further away, in words, own no attribute. */
const ownerReach = 12;
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
  readonly #relations: RelationDecoder;
  readonly #word: Float32Array;
  /** Word → its row among the model's vectors. */
  readonly #rowOf: ReadonlyMap<string, number>;
  /** What each known word gives to the rows around it, for each place in the window: `[words, window, hidden]`. */
  readonly #given: Float32Array;
  readonly #known = new Map<string, KnownWord>();

  constructor(kernels: Kernels, model: ParserModel) {
    const { sizes } = model.network;
    this.#model = model;
    this.#a = new Activations(kernels, sizes, {
      rows: maxWords,
      pairs: pairReach * maxWords,
      owners: (2 * ownerReach + 1) * maxWords,
    });
    this.#kernels = kernels;
    this.#relations = new RelationDecoder(model.network, model.labels);
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
    const scores = { tagScores: a.tagScores, transitions, starts };
    const fillings = fillingsOf(
      words,
      known.map(({ verb }) => verb),
    );
    const sequences = likeliestTags(scores, 0, rows, taggings);
    let best: CaptionReading | undefined;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const { tags, score } of sequences) {
      // What the tags alone make so much less likely, relations do not save.
      if (score < sequences[0]!.score - taggingReach) break;
      network.read(a, caption, rows, tags);
      const spans = taggedSpans(tags);
      const mentions = spans.filter(({ kind }) => kind === 'entity');
      const attributes = spans.filter(({ kind }) => kind === 'attribute');
      const relations = this.#relations.decode(a, fillings, mentions);
      const owners = this.#owners(mentions, attributes);
      const total = score + relations.score + owners.score;
      if (total <= bestScore) continue;
      bestScore = total;
      best = { mentions, relations: relations.found, attributes: owners.found };
    }
    return best!;
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

  #owners(mentions: readonly TokenSpan[], attributes: readonly TokenSpan[]): Found<AttributeReading> {
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
    let total = 0;
    const likeliestOwner = new Int32Array(attributes.length).fill(-1);
    owners.forEach(({ attribute, mention }, n) => {
      const score = this.#a.ownerScores[n * tagStride]!;
      total -= Math.log1p(Math.exp(-Math.abs(score)));
      if (score > 0) owned[attribute]!.mentions.push(mention);
      if (score <= best[attribute]!) return;
      best[attribute] = score;
      likeliestOwner[attribute] = mention;
    });
    // An attribute is said of something, even if of nothing surely.
    owned.forEach(({ mentions: of }, attribute) => {
      if (of.length === 0 && likeliestOwner[attribute]! >= 0) of.push(likeliestOwner[attribute]!);
    });
    return { found: owned, score: total };
  }
}
