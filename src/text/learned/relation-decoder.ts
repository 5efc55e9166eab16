import type { Activations, PairRows, Slot, SpanRows } from './activations.js';
import type { Network } from './network.js';
import { distanceOf, stepsOf } from './parameters.js';
import { NONE, prepositionsAt, type RelationLabels } from './relation-labels.js';

/** Pairs of mentions with more mentions between them are not looked at. */
export const pairReach = 6;

/** Words from the first to the one after the last. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
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

/** What each word of a caption may fill a label with: undefined where nothing. */
export interface Fillings {
  readonly verbs: readonly (string | undefined)[];
  readonly prepositions: readonly (string | undefined)[];
  /** The words that may fill each slot. */
  readonly places: Readonly<Record<Slot, readonly number[]>>;
}

/** @param verbs the verb that each word may be */
export function fillingsOf(words: readonly string[], verbs: readonly (string | undefined)[]): Fillings {
  const prepositions = words.map((_, t) => prepositionsAt(words, t));
  const placesOf = (fillings: readonly (string | undefined)[]) =>
    [...fillings.keys()].filter((t) => fillings[t] !== undefined);
  return { verbs, prepositions, places: { verb: placesOf(verbs), preposition: placesOf(prepositions) } };
}

/** What was found, and the logarithm of how likely it is. */
export interface Found<T> {
  readonly found: readonly T[];
  readonly score: number;
}

/** Rows of the network's activations → relations. */
export class RelationDecoder {
  readonly #network: Network;
  readonly #labels: RelationLabels;

  constructor(network: Network, labels: RelationLabels) {
    this.#network = network;
    this.#labels = labels;
  }

  /**
   * @param a activations of a caption that starts at row 0, read with its tags
   * @param fillings what its words may fill labels with
   */
  decode(
    a: Activations,
    { verbs, prepositions, places }: Fillings,
    mentions: readonly TokenSpan[],
  ): Found<MentionReading> {
    const pairs = pairsOf(mentions);
    if (pairs.length === 0) return { found: [], score: 0 };
    this.#network.relate(a, spanRows(mentions), pairs);
    const { needsVerb, needsPreposition } = this.#labels;
    const found: MentionReading[] = [];
    let score = 0;
    pairs.forEach(({ first, second }, n) => {
      const { label, probability } = this.#choose(a, n);
      score += Math.log(probability);
      if (label === NONE) return;
      const verb = needsVerb[label] ? this.#fill(a, 'verb', n, places.verb) : said;
      const preposition = needsPreposition[label] ? this.#fill(a, 'preposition', n, places.preposition) : said;
      // A label that the caption has no word for says nothing.
      if (!verb || !preposition) return;
      score += Math.log(verb.probability * preposition.probability);
      const [subject, object] = this.#labels.isForward(label) ? [first, second] : [second, first];
      const confidence = probability * verb.probability * preposition.probability;
      const predicate = this.#labels.predicate(label, verbs[verb.place] ?? '', prepositions[preposition.place] ?? '');
      found.push({ subject, object, predicate, verb: verb.place, confidence });
    });
    return { found, score };
  }

  /** The likeliest label of a pair. */
  #choose(a: Activations, pair: number): Choice {
    const { labels: stride } = this.#network.sizes;
    const scores = a.labelScores.subarray(pair * stride, pair * stride + this.#labels.size);
    const label = largest(scores);
    return { label, probability: softmaxAt(scores, label) };
  }

  /** The word that fills a label; undefined where none might. */
  #fill(a: Activations, slot: Slot, pair: number, places: readonly number[]): Filling | undefined {
    if (places.length === 0) return undefined;
    this.#network.seek(a, slot, pair, 1);
    const scores = places.map((t) => this.#network.slotScore(a, slot, pair, t));
    const best = largest(scores);
    return { place: places[best]!, probability: softmaxAt(scores, best) };
  }
}

interface Choice {
  readonly label: number;
  readonly probability: number;
}

interface Filling {
  readonly place: number;
  readonly probability: number;
}

/** Of a slot that a label does not have. */
const said: Filling = { place: -1, probability: 1 };

function pairsOf(mentions: readonly TokenSpan[]): PairRows[] {
  const pairs: PairRows[] = [];
  for (let second = 1; second < mentions.length; second++)
    for (let first = Math.max(0, second - pairReach); first < second; first++) {
      const [from, to] = [mentions[first]!.end, mentions[second]!.start];
      pairs.push({ first, second, from, to, distance: distanceOf(to - from), steps: stepsOf(second - first) });
    }
  return pairs;
}

export const spanRows = (spans: readonly TokenSpan[]): SpanRows[] =>
  spans.map(({ start, end }) => ({ first: start, last: end - 1 }));

function largest(scores: ArrayLike<number>): number {
  let best = 0;
  for (let k = 1; k < scores.length; k++) if (scores[k]! > scores[best]!) best = k;
  return best;
}

/** One probability of the softmax of some scores. What is a millionth as likely changes nothing. */
function softmaxAt(scores: ArrayLike<number>, index: number): number {
  let sum = 0;
  for (let k = 0; k < scores.length; k++) {
    const less = scores[k]! - scores[index]!;
    if (less > -14) sum += Math.exp(less);
  }
  return 1 / sum;
}
