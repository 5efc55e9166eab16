import type { Kernels } from './kernels/kernels.js';
import { affixRows, shapeRows } from './word-inputs.js';

/** Widths of the network; every one a multiple of 8. */
export interface NetworkSizes {
  /** Of a word's vector. */
  readonly input: number;
  /** Of a token's state. */
  readonly hidden: number;
  readonly tagHidden: number;
  readonly pairHidden: number;
  readonly attributeHidden: number;
  /** Relation labels, rounded up. */
  readonly labels: number;
}

/** How many tokens before and after a token its state sees at first. */
export const windowReach = 2;
export const windowSize = 2 * windowReach + 1;

/** What a token can be: outside, begin or go on with an entity, begin or go on with an attribute. */
export const tagCount = 5;
/** Tag scores lie in rows of 8, as the kernels like it. */
export const tagStride = 8;

/** Rows of the tables of distances: in tokens, then in mentions. */
export const distanceRows = 16;
export const attributeDistanceRows = 16;

/** Names of the parameters → their number of rows and columns. */
export const parameterShapes = (sizes: NetworkSizes) =>
  ({
    affixes: [affixRows, sizes.input],
    shapes: [shapeRows, sizes.input],
    window: [windowSize * sizes.input, sizes.hidden],
    windowBias: [1, sizes.hidden],
    compounds: [4, sizes.hidden],
    context: [sizes.hidden, 2 * sizes.hidden],
    contextBias: [1, 2 * sizes.hidden],
    tagHidden: [sizes.hidden, sizes.tagHidden],
    tagHiddenBias: [1, sizes.tagHidden],
    tags: [sizes.tagHidden, tagStride],
    tagBias: [1, tagStride],
    transitions: [tagStride, tagStride],
    starts: [1, tagStride],
    tagStates: [tagStride, sizes.hidden],
    relate: [sizes.hidden, 2 * sizes.hidden],
    relateBias: [1, 2 * sizes.hidden],
    first: [2 * sizes.hidden, sizes.pairHidden],
    second: [2 * sizes.hidden, sizes.pairHidden],
    firstFactor: [2 * sizes.hidden, sizes.pairHidden],
    secondFactor: [2 * sizes.hidden, sizes.pairHidden],
    between: [sizes.hidden, sizes.pairHidden],
    distances: [distanceRows, sizes.pairHidden],
    pairBias: [1, sizes.pairHidden],
    pair: [sizes.pairHidden, sizes.pairHidden],
    pairHiddenBias: [1, sizes.pairHidden],
    labels: [sizes.pairHidden, sizes.labels],
    labelBias: [1, sizes.labels],
    verb: [sizes.pairHidden, sizes.hidden],
    preposition: [sizes.pairHidden, sizes.hidden],
    attribute: [2 * sizes.hidden, sizes.attributeHidden],
    owner: [2 * sizes.hidden, sizes.attributeHidden],
    attributeDistances: [attributeDistanceRows, sizes.attributeHidden],
    attributeBias: [1, sizes.attributeHidden],
    attributeScore: [sizes.attributeHidden, 8],
    attributeScoreBias: [1, 8],
  }) satisfies Record<string, readonly [rows: number, columns: number]>;

export type ParameterName = keyof ReturnType<typeof parameterShapes>;
export type Parameters = Readonly<Record<ParameterName, Float32Array>>;

export function allocateParameters(kernels: Kernels, sizes: NetworkSizes): Parameters {
  const entries = Object.entries(parameterShapes(sizes)) as [ParameterName, readonly [number, number]][];
  return Object.fromEntries(
    entries.map(([name, [rows, columns]]) => [name, kernels.floats(rows * columns)]),
  ) as unknown as Parameters;
}

/** Where a caption's tokens lie in the rows of a batch. */
export interface Rows {
  readonly start: number;
  readonly length: number;
}

/** A pair of mentions, the first one before the second: first and last rows of each. */
export interface PairRows {
  /** Index of the first mention in the batch. */
  readonly first: number;
  readonly second: number;
  /** Rows between the two, exclusive at the end. */
  readonly from: number;
  readonly to: number;
  /** Row of the table of distances in tokens and of that in mentions. */
  readonly distance: number;
  readonly steps: number;
}

/** An attribute and a mention that may own it. */
export interface OwnerRows {
  readonly attribute: number;
  readonly mention: number;
  readonly distance: number;
}

/** First and last row of a span. */
export interface SpanRows {
  readonly first: number;
  readonly last: number;
}

/** @param tokens between the two mentions; steps from mention to mention */
export const distanceOf = (tokens: number): number => Math.min(tokens, 9);
export const stepsOf = (mentions: number): number => 9 + Math.min(mentions, 6);

/** @param gap tokens from the end of the attribute to the start of the mention, below zero where the mention is before */
export const attributeDistanceOf = (gap: number): number => Math.max(-7, Math.min(7, gap)) + 8;

/** What a label may leave open. */
export type Slot = 'verb' | 'preposition';
export const slots: readonly Slot[] = ['verb', 'preposition'];

/** Dropout: what each activation is multiplied with in training. */
export interface Dropout {
  /** Multiplies by 0 or by 1 / (1 - rate), the same where it is undone. */
  apply(x: Float32Array, length: number, layer: string): void;
}

/** The network's arrays for a batch of captions and what it computes in them. Reused from batch to batch. */
export class Activations {
  readonly rows: number;
  readonly x: Float32Array;
  readonly windowed: Float32Array;
  readonly contextGates: Float32Array;
  readonly contextState: Float32Array;
  readonly state: Float32Array;
  readonly tagHidden: Float32Array;
  readonly tagScores: Float32Array;
  readonly relateIn: Float32Array;
  readonly relateGates: Float32Array;
  readonly relateState: Float32Array;
  readonly related: Float32Array;
  readonly between: Float32Array;
  readonly mentionStates: Float32Array;
  readonly firsts: Float32Array;
  readonly seconds: Float32Array;
  readonly firstFactors: Float32Array;
  readonly secondFactors: Float32Array;
  readonly attributeStates: Float32Array;
  readonly attributeHidden: Float32Array;
  readonly ownerHidden: Float32Array;
  readonly pairs: number;
  readonly pairIn: Float32Array;
  readonly pairHidden: Float32Array;
  readonly labelScores: Float32Array;
  readonly queries: Readonly<Record<Slot, Float32Array>>;
  readonly pairMost: Float32Array;
  readonly ownerIn: Float32Array;
  readonly ownerScores: Float32Array;

  /** @param rows most rows of a batch; pairs: most pairs, and most pairs of an attribute and a mention */
  constructor(
    kernels: Kernels,
    { input, hidden, tagHidden, pairHidden, attributeHidden, labels }: NetworkSizes,
    rows: number,
    pairs: number,
  ) {
    this.rows = rows;
    this.pairs = pairs;
    const of = (count: number, width: number) => kernels.floats(count * width);
    this.x = of(rows, input);
    this.windowed = of(rows, hidden);
    this.contextGates = of(rows, 2 * hidden);
    this.contextState = of(rows, hidden);
    this.state = of(rows, hidden);
    this.tagHidden = of(rows, tagHidden);
    this.tagScores = of(rows, tagStride);
    this.relateIn = of(rows, hidden);
    this.relateGates = of(rows, 2 * hidden);
    this.relateState = of(rows, hidden);
    this.related = of(rows, hidden);
    this.between = of(rows, pairHidden);
    this.mentionStates = of(rows, 2 * hidden);
    this.firsts = of(rows, pairHidden);
    this.seconds = of(rows, pairHidden);
    this.firstFactors = of(rows, pairHidden);
    this.secondFactors = of(rows, pairHidden);
    this.attributeStates = of(rows, 2 * hidden);
    this.attributeHidden = of(rows, attributeHidden);
    this.ownerHidden = of(rows, attributeHidden);
    this.pairIn = of(pairs, pairHidden);
    this.pairHidden = of(pairs, pairHidden);
    this.labelScores = of(pairs, labels);
    this.queries = { verb: of(pairs, hidden), preposition: of(pairs, hidden) };
    this.pairMost = of(pairs, pairHidden);
    this.ownerIn = of(pairs, attributeHidden);
    this.ownerScores = of(pairs, 8);
  }
}

/** The forward pass, stage by stage; a batch's activations stay for the backward pass. */
export class Network {
  readonly kernels: Kernels;
  readonly sizes: NetworkSizes;
  readonly parameters: Parameters;

  constructor(kernels: Kernels, sizes: NetworkSizes, parameters: Parameters) {
    this.kernels = kernels;
    this.sizes = sizes;
    this.parameters = parameters;
  }

  /**
   * Word vectors → each row's sum over its window, in `windowed`, before its bias. `x` holds rows of zeros around every
   * caption.
   */
  sumWindows(a: Activations, rows: number): void {
    const { input, hidden } = this.sizes;
    a.windowed.fill(0, 0, rows * hidden);
    const inner = rows - 2 * windowReach;
    for (let offset = 0; offset < windowSize; offset++)
      this.kernels.multiply(
        inner,
        hidden,
        input,
        a.x.subarray(offset * input),
        { row: input, column: 1 },
        this.parameters.window.subarray(offset * input * hidden),
        a.windowed.subarray(windowReach * hidden),
      );
  }

  /** Window sums → token states and tag scores. @param compounds flags by row */
  tag(a: Activations, captions: readonly Rows[], rows: number, compounds: Uint8Array, dropout?: Dropout): void {
    const { hidden, tagHidden } = this.sizes;
    const p = this.parameters;
    for (let row = 0; row < rows; row++) {
      this.kernels.add(a.windowed, row * hidden, p.windowBias, 0, hidden);
      this.kernels.addRelu(a.windowed, row * hidden, p.compounds, compounds[row]! * hidden, hidden);
    }
    dropout?.apply(a.windowed, rows * hidden, 'windowed');
    this.#scan(captions, rows, a.windowed, p.context, p.contextBias, a.contextGates, a.contextState, a.state);
    dropout?.apply(a.state, rows * hidden, 'state');
    this.kernels.linear(rows, a.state, hidden, p.tagHidden, p.tagHiddenBias, a.tagHidden, tagHidden);
    this.kernels.relu(a.tagHidden, rows * tagHidden);
    dropout?.apply(a.tagHidden, rows * tagHidden, 'tagHidden');
    this.kernels.linear(rows, a.tagHidden, tagHidden, p.tags, p.tagBias, a.tagScores, tagStride);
  }

  /** Token states and their tags → states that know of the tags. @param tags by row */
  read(a: Activations, captions: readonly Rows[], rows: number, tags: Uint8Array, dropout?: Dropout): void {
    const { hidden } = this.sizes;
    const p = this.parameters;
    a.relateIn.set(a.state.subarray(0, rows * hidden));
    for (let row = 0; row < rows; row++)
      this.kernels.add(a.relateIn, row * hidden, p.tagStates, tags[row]! * hidden, hidden);
    this.#scan(captions, rows, a.relateIn, p.relate, p.relateBias, a.relateGates, a.relateState, a.related);
    dropout?.apply(a.related, rows * hidden, 'related');
  }

  /** States → scores of every label for every pair, in `labelScores`. */
  relate(
    a: Activations,
    rows: number,
    mentions: readonly SpanRows[],
    pairs: readonly PairRows[],
    dropout?: Dropout,
  ): void {
    const { hidden, pairHidden, labels } = this.sizes;
    const p = this.parameters;
    this.#spanStates(a.related, mentions, a.mentionStates);
    this.kernels.linear(mentions.length, a.mentionStates, 2 * hidden, p.first, null, a.firsts, pairHidden);
    this.kernels.linear(mentions.length, a.mentionStates, 2 * hidden, p.second, null, a.seconds, pairHidden);
    this.kernels.linear(mentions.length, a.mentionStates, 2 * hidden, p.firstFactor, null, a.firstFactors, pairHidden);
    this.kernels.linear(
      mentions.length,
      a.mentionStates,
      2 * hidden,
      p.secondFactor,
      null,
      a.secondFactors,
      pairHidden,
    );
    this.kernels.linear(rows, a.related, hidden, p.between, null, a.between, pairHidden);
    for (let n = 0; n < pairs.length; n++) {
      const { first, second, from, to, distance, steps } = pairs[n]!;
      const at = n * pairHidden;
      this.kernels.largest(a.pairMost, at, a.between, from * pairHidden, to - from, pairHidden, emptyBetween);
      a.pairIn.set(p.pairBias, at);
      this.kernels.add(a.pairIn, at, a.pairMost, at, pairHidden);
      this.kernels.add(a.pairIn, at, a.firsts, first * pairHidden, pairHidden);
      for (let k = 0; k < pairHidden; k++)
        a.pairIn[at + k]! += a.firstFactors[first * pairHidden + k]! * a.secondFactors[second * pairHidden + k]!;
      this.kernels.add(a.pairIn, at, a.seconds, second * pairHidden, pairHidden);
      this.kernels.add(a.pairIn, at, p.distances, distance * pairHidden, pairHidden);
      this.kernels.addRelu(a.pairIn, at, p.distances, steps * pairHidden, pairHidden);
    }
    dropout?.apply(a.pairIn, pairs.length * pairHidden, 'pairIn');
    this.kernels.linear(pairs.length, a.pairIn, pairHidden, p.pair, p.pairHiddenBias, a.pairHidden, pairHidden);
    this.kernels.relu(a.pairHidden, pairs.length * pairHidden);
    dropout?.apply(a.pairHidden, pairs.length * pairHidden, 'pairHidden');
    this.kernels.linear(pairs.length, a.pairHidden, pairHidden, p.labels, p.labelBias, a.labelScores, labels);
  }

  /** Pairs → what each looks for in a word that fills its label, in `queries`. @param first index of the first of `count` pairs */
  seek(a: Activations, slot: Slot, first: number, count: number): void {
    const { hidden, pairHidden } = this.sizes;
    const [from, to] = [a.pairHidden.subarray(first * pairHidden), a.queries[slot].subarray(first * hidden)];
    this.kernels.linear(count, from, pairHidden, this.parameters[slot], null, to, hidden);
  }

  /** How well the word at a row fits what a pair looks for. */
  slotScore(a: Activations, slot: Slot, pair: number, row: number): number {
    const { hidden } = this.sizes;
    return this.kernels.dot(a.queries[slot], pair * hidden, a.related, row * hidden, hidden) * slotScale;
  }

  /** States → for each pair of an attribute and a mention the log-odds that it owns it, in column 0 of `ownerScores`. */
  own(
    a: Activations,
    attributes: readonly SpanRows[],
    mentions: readonly SpanRows[],
    owners: readonly OwnerRows[],
    dropout?: Dropout,
  ): void {
    const { hidden, attributeHidden } = this.sizes;
    const p = this.parameters;
    this.#spanStates(a.related, attributes, a.attributeStates);
    this.#spanStates(a.related, mentions, a.mentionStates);
    this.kernels.linear(
      attributes.length,
      a.attributeStates,
      2 * hidden,
      p.attribute,
      null,
      a.attributeHidden,
      attributeHidden,
    );
    this.kernels.linear(mentions.length, a.mentionStates, 2 * hidden, p.owner, null, a.ownerHidden, attributeHidden);
    for (let n = 0; n < owners.length; n++) {
      const { attribute, mention, distance } = owners[n]!;
      const at = n * attributeHidden;
      a.ownerIn.set(p.attributeBias, at);
      this.kernels.add(a.ownerIn, at, a.attributeHidden, attribute * attributeHidden, attributeHidden);
      this.kernels.add(a.ownerIn, at, a.ownerHidden, mention * attributeHidden, attributeHidden);
      this.kernels.addRelu(a.ownerIn, at, p.attributeDistances, distance * attributeHidden, attributeHidden);
    }
    dropout?.apply(a.ownerIn, owners.length * attributeHidden, 'ownerIn');
    this.kernels.linear(
      owners.length,
      a.ownerIn,
      attributeHidden,
      p.attributeScore,
      p.attributeScoreBias,
      a.ownerScores,
      8,
    );
  }

  #scan(
    captions: readonly Rows[],
    rows: number,
    x: Float32Array,
    w: Float32Array,
    b: Float32Array,
    gates: Float32Array,
    c: Float32Array,
    y: Float32Array,
  ): void {
    const { hidden } = this.sizes;
    this.kernels.linear(rows, x, hidden, w, b, gates, 2 * hidden);
    if (captions.length > 1) c.fill(0, 0, rows * hidden);
    for (const { start, length } of captions) this.kernels.scan(gates, c, hidden / 2, start, length);
    y.set(x.subarray(0, rows * hidden));
    this.kernels.add(y, 0, c, 0, rows * hidden);
  }

  /** @param to `[spans, 2 hidden]`: the states of each span's first and last token */
  #spanStates(states: Float32Array, spans: readonly SpanRows[], to: Float32Array): void {
    const { hidden } = this.sizes;
    for (let n = 0; n < spans.length; n++) {
      const { first, last } = spans[n]!;
      to.set(states.subarray(first * hidden, (first + 1) * hidden), 2 * n * hidden);
      to.set(states.subarray(last * hidden, (last + 1) * hidden), (2 * n + 1) * hidden);
    }
  }
}

/** What stands for the tokens between two mentions where there are none. */
const emptyBetween = -5;
export const slotScale = 0.125;
