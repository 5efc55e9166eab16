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
import { pairFields, slots } from './activations.js';

/** Dropout of a layer's activations. */
export interface Dropout {
  /** Multiplies each activation by 0 or by 1 / (1 - rate). */
  apply(x: Float32Array, length: number, layer: string): void;
}

/** The network's forward pass in floats, stage by stage. The batch's activations stay in memory for the backward pass. */
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
   * Computes each row's sum over its window of word vectors, in `windowed`; `x` has rows of zeros around every caption.
   * `ParserKernels.sumWindows` computes the same from cached contributions, which pays off if words occur often.
   * @param compounds `[rows]`: compound flags
   */
  sumWindows(a: Activations, rows: number, compounds: Uint8Array): void {
    const { input, hidden } = this.sizes;
    const p = this.parameters;
    a.windowed.fill(0, 0, rows * hidden);
    const innerRows = rows - 2 * windowRadius;
    for (let offset = 0; offset < windowSize; offset++)
      this.kernels.multiply(
        innerRows,
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

  /** Computes the states of words, in `states`, from the sums over windows. */
  addContext(a: Activations, captions: readonly CaptionRows[], rows: number): void {
    this.#scan('context', captions, rows, a.windowed, a.contextGates, a.contextSums, a.states);
  }

  /** Computes tag scores, in `tagScores`, and states for relations that depend on the probable tags, in `relationStates`. */
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
    dropout?.apply(a.relationStates, rows * hidden, 'relationStates');
  }

  /** Scores the relations and owners of a batch's phrases. */
  scorePhrases(a: Activations, { mentions, pairs, attributes, owners }: BatchLayout, dropout?: Dropout): void {
    this.scoreRelations(a, mentions, pairs, dropout);
    for (const slot of slots) this.computeQueries(a, slot, 0, pairs.length);
    this.scoreOwners(a, attributes, mentions, owners, dropout);
  }

  /** Computes the score of every label for every pair, in `labelScores`. */
  scoreRelations(a: Activations, mentions: readonly SpanRows[], pairs: readonly PairRows[], dropout?: Dropout): void {
    const { hidden, pairHidden } = this.sizes;
    const p = this.parameters;
    if (pairs.length === 0) return;
    this.#spanStates(a.relationStates, mentions, a.mentionStates);
    this.#apply('mention', mentions.length, a.mentionStates, 0, a.mentionRoles, 0);
    // Only rows between two mentions are needed.
    let start = Number.POSITIVE_INFINITY;
    let end = 0;
    pairs.forEach(({ first, second, from, to, distance, steps }, n) => {
      const at = n * pairFields.length;
      a.pairRows[at + pairFields.first] = first;
      a.pairRows[at + pairFields.second] = second;
      a.pairRows[at + pairFields.from] = from;
      a.pairRows[at + pairFields.to] = to;
      a.pairRows[at + pairFields.distance] = distance;
      a.pairRows[at + pairFields.steps] = steps;
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
    dropout?.apply(a.pairStates, pairs.length * pairHidden, 'pairStates');
    this.#apply('labels', pairs.length, a.pairStates, 0, a.labelScores, 0);
  }

  /** Computes each pair's query for the words that fill its label, in `queries`. @param first the first of `count` pairs */
  computeQueries(a: Activations, slot: Slot, first: number, count: number): void {
    const { hidden, pairHidden } = this.sizes;
    this.#apply(slot, count, a.pairStates, first * pairHidden, a.queries[slot], first * hidden);
  }

  /** Returns the score of the word at a row as the filler of a pair's slot. */
  slotScore(a: Activations, slot: Slot, pair: number, row: number): number {
    const { hidden } = this.sizes;
    return this.kernels.dot(a.queries[slot], pair * hidden, a.relationStates, row * hidden, hidden) * slotScale;
  }

  /** Computes the log-odds that each mention owns each attribute, in column 0 of `ownerScores`. */
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

  /** y = b + x · w, or max(…, 0) of it. @param x `[rows, inputs]`; y `[rows, outputs]`, both from an offset on */
  #apply(layer: LinearLayer, rows: number, x: Float32Array, xStart: number, y: Float32Array, yStart: number): void {
    const [inputs, outputs] = this.#shapes[layer];
    const { bias, isRelu } = linearLayers[layer];
    const b = bias && this.parameters[bias];
    this.kernels.linear(rows, x, xStart, inputs, this.parameters[layer], b, y, yStart, outputs);
    if (isRelu) this.kernels.relu(y.subarray(yStart), rows * outputs);
  }

  /** y = x + the gated sums over the context of each word. */
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
   * Sets each span's state: the forward half of its last word's state and the backward half of its first word's.
   * @param to `[spans, hidden]`
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
