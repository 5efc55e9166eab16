import type { Activations, OwnerRows, PairRows, Rows, Slot, SpanRows } from './activations.js';
import type { Kernels } from './kernels/kernels.js';
import { type NetworkSizes, type Parameters, tagStride, windowReach, windowSize } from './parameters.js';

/** Dropout: what each activation is multiplied with in training. */
export interface Dropout {
  /** Multiplies by 0 or by 1 / (1 - rate), the same where it is undone. */
  apply(x: Float32Array, length: number, layer: string): void;
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
  relate(a: Activations, mentions: readonly SpanRows[], pairs: readonly PairRows[], dropout?: Dropout): void {
    const { pairHidden, labels } = this.sizes;
    const p = this.parameters;
    if (pairs.length === 0) return;
    this.#spanStates(a.related, mentions, a.mentionStates);
    this.#projectMentions(a, mentions.length);
    this.#projectBetween(a, pairs);
    for (let n = 0; n < pairs.length; n++) {
      const { first, second, from, to, distance, steps } = pairs[n]!;
      const at = n * pairHidden;
      this.kernels.largest(a.pairMost, at, a.between, from * pairHidden, to - from, pairHidden, emptyBetween);
      a.pairIn.set(p.pairBias, at);
      this.kernels.add(a.pairIn, at, a.pairMost, at, pairHidden);
      this.kernels.add(a.pairIn, at, a.firsts, first * pairHidden, pairHidden);
      const [i, j] = [first * pairHidden, second * pairHidden];
      this.kernels.addProduct(a.pairIn, at, a.firstFactors, i, a.secondFactors, j, pairHidden);
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

  /** The last mention is the first of no pair, and the first one the second of none. */
  #projectMentions(a: Activations, mentions: number): void {
    const { hidden, pairHidden } = this.sizes;
    const { first, second, firstFactor, secondFactor } = this.parameters;
    const project = (skipped: number, w: Float32Array, to: Float32Array) => {
      const states = a.mentionStates.subarray(skipped * 2 * hidden);
      this.kernels.linear(mentions - 1, states, 2 * hidden, w, null, to.subarray(skipped * pairHidden), pairHidden);
    };
    project(0, first, a.firsts);
    project(0, firstFactor, a.firstFactors);
    project(1, second, a.seconds);
    project(1, secondFactor, a.secondFactors);
  }

  /** Only rows between mentions. */
  #projectBetween(a: Activations, pairs: readonly PairRows[]): void {
    const { hidden, pairHidden } = this.sizes;
    let from = Number.POSITIVE_INFINITY;
    let to = 0;
    for (const pair of pairs) {
      from = Math.min(from, pair.from);
      to = Math.max(to, pair.to);
    }
    if (to <= from) return;
    const [states, between] = [a.related.subarray(from * hidden), a.between.subarray(from * pairHidden)];
    this.kernels.linear(to - from, states, hidden, this.parameters.between, null, between, pairHidden);
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
