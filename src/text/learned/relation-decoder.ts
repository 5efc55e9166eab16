import type { Activations, PairRows, Slot } from './activations.js';
import type { Kernels } from './kernels/kernels.js';
import type { Network } from './network.js';
import { distanceOf, stepsOf } from './parameters.js';
import { NONE, type RelationLabels } from './relation-labels.js';
import { SpanSet, type TokenSpan } from './span-set.js';

/** Pairs of mentions with more mentions between them are not looked at. */
export const pairReach = 6;

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

/** What each word of a caption may fill a label with: undefined where nothing. */
export interface Fillings {
  readonly verbs: readonly (string | undefined)[];
  readonly prepositions: readonly (string | undefined)[];
}

/** What was found, and the logarithm of how likely it is. */
export interface Found<T> {
  readonly found: readonly T[];
  readonly score: number;
}

/** Rows of the network's activations → relations. */
export class RelationDecoder {
  readonly #kernels: Kernels;
  readonly #network: Network;
  readonly #labels: RelationLabels;
  readonly #places: Int32Array;
  readonly #probabilities: Float32Array;

  /** @param mostPairs of a caption */
  constructor(kernels: Kernels, network: Network, labels: RelationLabels, mostPairs: number) {
    this.#kernels = kernels;
    this.#network = network;
    this.#labels = labels;
    this.#places = kernels.integers(mostPairs);
    this.#probabilities = kernels.floats(mostPairs);
  }

  /**
   * @param a activations of a caption that starts at row 0, read
   * @param fillings what its words may fill labels with
   * @param taggings mentions of the caption in one reading or several
   * @returns what is found with each tagging; subjects and objects count its mentions
   */
  decode(a: Activations, fillings: Fillings, taggings: readonly (readonly TokenSpan[])[]): Found<MentionReading>[] {
    const mentions = new SpanSet();
    const pairs: PairRows[] = [];
    const indexOf = new Map<number, number>();
    const placed = taggings.map((spans) => placePairs(spans, mentions, pairs, indexOf));
    const choices = this.#choose(a, fillings, mentions.spans, pairs);
    return placed.map((own) => {
      const found: MentionReading[] = [];
      let score = 0;
      for (const { pair, first, second } of own) {
        const choice = choices[pair]!;
        score += choice.score;
        if (!choice.relation) continue;
        const { isForward, ...relation } = choice.relation;
        const [subject, object] = isForward ? [first, second] : [second, first];
        found.push({ subject, object, ...relation });
      }
      return { found, score };
    });
  }

  #choose(a: Activations, fillings: Fillings, mentions: readonly TokenSpan[], pairs: readonly PairRows[]): Choice[] {
    if (pairs.length === 0) return [];
    this.#network.relate(a, spanRows(mentions), pairs);
    const { labels: width } = this.#network.sizes;
    const [places, probabilities] = [this.#places, this.#probabilities];
    this.#kernels.likeliest(pairs.length, width, a.labelScores, places, probabilities);
    const { needsVerb, needsPreposition } = this.#labels;
    const verbs = this.#fill(a, 'verb', pairs.length, needsVerb, fillings.verbs);
    const prepositions = this.#fill(a, 'preposition', pairs.length, needsPreposition, fillings.prepositions);
    return pairs.map((_, n) => {
      const [label, probability] = [places[n]!, probabilities[n]!];
      let score = Math.log(probability);
      if (label === NONE) return { score };
      const verb = needsVerb[label] ? verbs[n] : said;
      const preposition = needsPreposition[label] ? prepositions[n] : said;
      // A label that the caption has no word for says nothing.
      if (!verb || !preposition) return { score };
      const filled = verb.probability * preposition.probability;
      score += Math.log(filled);
      const predicate = this.#labels.predicate(
        label,
        fillings.verbs[verb.place] ?? '',
        fillings.prepositions[preposition.place] ?? '',
      );
      const isForward = this.#labels.isForward(label);
      const relation = { isForward, predicate, verb: verb.place, confidence: probability * filled };
      return { score, relation };
    });
  }

  /** The words that fill the labels of pairs; undefined where none is needed or none might. */
  #fill(
    a: Activations,
    slot: Slot,
    pairs: number,
    isNeeded: Uint8Array,
    fillings: readonly (string | undefined)[],
  ): (Filling | undefined)[] {
    const filled = new Array<Filling | undefined>(pairs).fill(undefined);
    let first = 0;
    while (first < pairs && !isNeeded[this.#places[first]!]) first++;
    if (first === pairs) return filled;
    let last = pairs - 1;
    while (!isNeeded[this.#places[last]!]) last--;
    this.#network.seek(a, slot, first, last + 1 - first);
    for (let n = first; n <= last; n++)
      if (isNeeded[this.#places[n]!]) filled[n] = this.#likeliestWord(a, slot, n, fillings);
    return filled;
  }

  #likeliestWord(
    a: Activations,
    slot: Slot,
    pair: number,
    fillings: readonly (string | undefined)[],
  ): Filling | undefined {
    const scores: number[] = [];
    let place = -1;
    let best = Number.NEGATIVE_INFINITY;
    for (let t = 0; t < fillings.length; t++) {
      if (fillings[t] === undefined) continue;
      const score = this.#network.slotScore(a, slot, pair, t);
      scores.push(score);
      if (score <= best) continue;
      best = score;
      place = t;
    }
    if (place < 0) return undefined;
    let sum = 0;
    for (const score of scores) sum += Math.exp(score - best);
    return { place, probability: 1 / sum };
  }
}

interface Choice {
  readonly score: number;
  /** What a pair's relation is; none where there is none. */
  readonly relation?: Omit<MentionReading, 'subject' | 'object'> & { readonly isForward: boolean };
}

interface Filling {
  readonly place: number;
  readonly probability: number;
}

/** Of a slot that a label does not have. */
const said: Filling = { place: -1, probability: 1 };

interface PlacedPair {
  /** Which of all pairs it is. */
  readonly pair: number;
  /** Which mentions of its tagging they are. */
  readonly first: number;
  readonly second: number;
}

/** @param pairs, indexOf all pairs so far; those of the tagging are added */
function placePairs(
  spans: readonly TokenSpan[],
  mentions: SpanSet,
  pairs: PairRows[],
  indexOf: Map<number, number>,
): PlacedPair[] {
  const places = spans.map((span) => mentions.add(span));
  const placed: PlacedPair[] = [];
  for (let second = 1; second < spans.length; second++)
    for (let first = Math.max(0, second - pairReach); first < second; first++) {
      const steps = stepsOf(second - first);
      const key = (places[first]! * mostSpans + places[second]!) * mostSteps + steps;
      let pair = indexOf.get(key);
      if (pair === undefined) {
        pair = pairs.length;
        indexOf.set(key, pair);
        const [from, to] = [spans[first]!.end, spans[second]!.start];
        pairs.push({
          first: places[first]!,
          second: places[second]!,
          from,
          to,
          distance: distanceOf(to - from),
          steps,
        });
      }
      placed.push({ pair, first, second });
    }
  return placed;
}

const mostSpans = 4096;
const mostSteps = 16;

export const spanRows = (spans: readonly TokenSpan[]) =>
  spans.map(({ start, end }) => ({ first: start, last: end - 1 }));
