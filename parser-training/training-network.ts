import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import { type LinearLayer, linearLayers } from '../src/parser/neural/linear-layers.js';
import {
  emptyBetween,
  type NetworkSizes,
  type Parameters,
  parameterShapes,
  slotScale,
  tagCount,
  windowRadius,
  windowSize,
} from '../src/parser/neural/network-parameters.js';
import type { Activations, BatchLayout, CaptionRows, OwnerRows, PairRows, Slot, SpanRows } from './activations.js';
import { pairColumns, slots } from './activations.js';

/** Dropout: what each activation is multiplied with in training. */
export interface Dropout {
  /** Multiplies by 0 or by 1 / (1 - rate), the same where it is undone. */
  apply(x: Float32Array, length: number, layer: string): void;
}

/** The forward pass, stage by stage; a batch's activations stay for the backward pass. */
export class TrainingNetwork {
  readonly kernels: ParserKernels;
  readonly sizes: NetworkSizes;
  readonly parameters: Parameters;
  readonly #shapes: ReturnType<typeof parameterShapes>;

  constructor(kernels: ParserKernels, sizes: NetworkSizes, parameters: Parameters) {
    this.kernels = kernels;
    this.sizes = sizes;
    this.parameters = parameters;
    this.#shapes = parameterShapes(sizes);
  }

  /**
   * Word vectors → each row's sum over its window, in `windowed`. `x` holds rows of zeros around every caption. Where each word
   * is seen often `Kernels.windows` does the same with sums that are kept.
   * @param compounds flags by row
   */
  sumWindows(a: Activations, rows: number, compounds: Uint8Array): void {
    const { input, hidden } = this.sizes;
    const p = this.parameters;
    a.windowed.fill(0, 0, rows * hidden);
    const inner = rows - 2 * windowRadius;
    for (let offset = 0; offset < windowSize; offset++)
      this.kernels.multiply(
        inner,
        hidden,
        input,
        a.x.subarray(offset * input),
        { row: input, column: 1 },
        p.window.subarray(offset * input * hidden),
        a.windowed.subarray(windowRadius * hidden),
      );
    for (let row = 0; row < rows; row++) {
      this.kernels.add(a.windowed, row * hidden, p.windowBias, 0, hidden);
      this.kernels.addRelu(a.windowed, row * hidden, p.compounds, compounds[row]! * hidden, hidden);
    }
  }

  /** Window sums → token states. */
  addContext(a: Activations, captions: readonly CaptionRows[], rows: number): void {
    this.#scan('context', captions, rows, a.windowed, a.contextGates, a.contextSums, a.states);
  }

  /** Token states → tag scores, and states that know of the likely tags. */
  scoreWords(a: Activations, captions: readonly CaptionRows[], rows: number, dropout?: Dropout): void {
    const { hidden, tagHidden } = this.sizes;
    this.#apply('tagHidden', rows, a.states, 0, a.tagHidden, 0);
    dropout?.apply(a.tagHidden, rows * tagHidden, 'tagHidden');
    this.#apply('tags', rows, a.tagHidden, 0, a.tagScores, 0);
    const { tagEmbeddings } = this.parameters;
    this.kernels.addSoftEmbeddings(
      rows,
      hidden,
      tagCount,
      a.tagScores,
      a.tagProbabilities,
      tagEmbeddings,
      a.states,
      a.taggedStates,
    );
    this.#scan('relationContext', captions, rows, a.taggedStates, a.relationGates, a.relationSums, a.relationStates);
    dropout?.apply(a.relationStates, rows * hidden, 'related');
  }

  /** States → all that is said of a batch's phrases. */
  scorePhrases(a: Activations, { mentions, pairs, attributes, owners }: BatchLayout, dropout?: Dropout): void {
    this.scoreRelations(a, mentions, pairs, dropout);
    for (const slot of slots) this.computeQueries(a, slot, 0, pairs.length);
    this.scoreOwners(a, attributes, mentions, owners, dropout);
  }

  /** States → scores of every label for every pair, in `labelScores`. */
  scoreRelations(a: Activations, mentions: readonly SpanRows[], pairs: readonly PairRows[], dropout?: Dropout): void {
    const { hidden, pairHidden } = this.sizes;
    const p = this.parameters;
    if (pairs.length === 0) return;
    this.#spanStates(a.relationStates, mentions, a.mentionStates);
    this.#apply('mention', mentions.length, a.mentionStates, 0, a.mentionRoles, 0);
    // Only rows between mentions.
    let start = Number.POSITIVE_INFINITY;
    let end = 0;
    pairs.forEach(({ first, second, from, to, distance, steps }, n) => {
      const at = n * pairColumns;
      a.pairRows[at] = first;
      a.pairRows[at + 1] = second;
      a.pairRows[at + 2] = from;
      a.pairRows[at + 3] = to;
      a.pairRows[at + 4] = distance;
      a.pairRows[at + 5] = steps;
      if (from < start) start = from;
      if (to > end) end = to;
    });
    if (end > start)
      this.#apply('between', end - start, a.relationStates, start * hidden, a.between, start * pairHidden);
    this.kernels.pairInputs(
      pairs.length,
      pairHidden,
      a.pairRows,
      a.mentionRoles,
      a.between,
      p.distances,
      p.pairBias,
      emptyBetween,
      a.pairMax,
      a.pairIn,
    );
    dropout?.apply(a.pairIn, pairs.length * pairHidden, 'pairIn');
    this.#apply('pair', pairs.length, a.pairIn, 0, a.pairStates, 0);
    dropout?.apply(a.pairStates, pairs.length * pairHidden, 'pairHidden');
    this.#apply('labels', pairs.length, a.pairStates, 0, a.labelScores, 0);
  }

  /** Pairs → what each looks for in a word that fills its label, in `queries`. @param first index of the first of `count` pairs */
  computeQueries(a: Activations, slot: Slot, first: number, count: number): void {
    const { hidden, pairHidden } = this.sizes;
    this.#apply(slot, count, a.pairStates, first * pairHidden, a.queries[slot], first * hidden);
  }

  /** How well the word at a row fits what a pair looks for. */
  slotScore(a: Activations, slot: Slot, pair: number, row: number): number {
    const { hidden } = this.sizes;
    return this.kernels.dot(a.queries[slot], pair * hidden, a.relationStates, row * hidden, hidden) * slotScale;
  }

  /** States → for each pair of an attribute and a mention the log-odds that it owns it, in column 0 of `ownerScores`. */
  scoreOwners(
    a: Activations,
    attributes: readonly SpanRows[],
    mentions: readonly SpanRows[],
    owners: readonly OwnerRows[],
    dropout?: Dropout,
  ): void {
    const { attributeHidden } = this.sizes;
    const p = this.parameters;
    if (owners.length === 0) return;
    this.#spanStates(a.relationStates, attributes, a.attributeStates);
    this.#spanStates(a.relationStates, mentions, a.mentionStates);
    this.#apply('attribute', attributes.length, a.attributeStates, 0, a.attributeHidden, 0);
    this.#apply('owner', mentions.length, a.mentionStates, 0, a.ownerHidden, 0);
    for (let n = 0; n < owners.length; n++) {
      const { attribute, mention, distance } = owners[n]!;
      const at = n * attributeHidden;
      a.ownerIn.set(p.attributeBias, at);
      this.kernels.add(a.ownerIn, at, a.attributeHidden, attribute * attributeHidden, attributeHidden);
      this.kernels.add(a.ownerIn, at, a.ownerHidden, mention * attributeHidden, attributeHidden);
      this.kernels.addRelu(a.ownerIn, at, p.attributeDistances, distance * attributeHidden, attributeHidden);
    }
    dropout?.apply(a.ownerIn, owners.length * attributeHidden, 'ownerIn');
    this.#apply('attributeScore', owners.length, a.ownerIn, 0, a.ownerScores, 0);
  }

  /** y = b + x · w, or max(…, 0) of it. @param x `[rows, inputs]`; y `[rows, outputs]`, from an offset on */
  #apply(layer: LinearLayer, rows: number, x: Float32Array, xStart: number, y: Float32Array, yStart: number): void {
    const [inputs, outputs] = this.#shapes[layer];
    const { bias, isRelu } = linearLayers[layer];
    const b = bias && this.parameters[bias];
    this.kernels.linear(rows, x, xStart, inputs, this.parameters[layer], b, y, yStart, outputs);
    if (isRelu) this.kernels.relu(y.subarray(yStart), rows * outputs);
  }

  /** y = x + what the context tells. */
  #scan(
    layer: 'context' | 'relationContext',
    captions: readonly CaptionRows[],
    rows: number,
    x: Float32Array,
    gates: Float32Array,
    c: Float32Array,
    y: Float32Array,
  ): void {
    const { hidden } = this.sizes;
    this.#apply(layer, rows, x, 0, gates, 0);
    if (captions.length > 1) c.fill(0, 0, rows * hidden);
    for (const { start, length } of captions) this.kernels.scan(gates, c, hidden / 2, start, length);
    y.set(x.subarray(0, rows * hidden));
    this.kernels.add(y, 0, c, 0, rows * hidden);
  }

  /**
   * What a span is told of: from before, up to its last token, and from behind, up to its first.
   * @param to `[spans, hidden]`: the first half of the last token's state and the second half of the first token's
   */
  #spanStates(states: Float32Array, spans: readonly SpanRows[], to: Float32Array): void {
    const { hidden } = this.sizes;
    const half = hidden / 2;
    for (let n = 0; n < spans.length; n++) {
      const { first, last } = spans[n]!;
      to.set(states.subarray(last * hidden, last * hidden + half), n * hidden);
      to.set(states.subarray(first * hidden + half, (first + 1) * hidden), n * hidden + half);
    }
  }
}
