import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import { type NetworkSizes, tagStride } from '../src/parser/neural/network-parameters.js';

/** Where a caption's tokens lie in the rows of a batch. */
export interface CaptionRows {
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

/** Where all lies in the rows of a batch. */
export interface BatchLayout {
  readonly rows: number;
  readonly captions: readonly CaptionRows[];
  readonly compounds: Uint8Array;
  readonly mentions: readonly SpanRows[];
  readonly pairs: readonly PairRows[];
  readonly attributes: readonly SpanRows[];
  readonly owners: readonly OwnerRows[];
}

/** What a label may leave open. */
export type Slot = 'verb' | 'preposition';
export const slots: readonly Slot[] = ['verb', 'preposition'];

/** The largest batch. Nothing checks it again: the kernels write where they are told. */
export interface Capacity {
  readonly rows: number;
  readonly pairs: number;
  /** Pairs of an attribute and a mention. */
  readonly owners: number;
}

/** Numbers that say where a pair lies. */
export const pairColumns = 6;

/** The network's arrays for a batch of captions and what it computes in them. Reused from batch to batch. */
export class Activations {
  readonly x: Float32Array;
  readonly windowed: Float32Array;
  readonly contextGates: Float32Array;
  readonly contextSums: Float32Array;
  readonly states: Float32Array;
  readonly tagHidden: Float32Array;
  readonly tagScores: Float32Array;
  /** The softmax of each token's tag scores. */
  readonly tagProbabilities: Float32Array;
  readonly taggedStates: Float32Array;
  readonly relationGates: Float32Array;
  readonly relationSums: Float32Array;
  readonly relationStates: Float32Array;
  readonly between: Float32Array;
  readonly mentionStates: Float32Array;
  /** What each mention is in a pair: as its first, as its second, as a factor of either. */
  readonly mentionRoles: Float32Array;
  readonly attributeStates: Float32Array;
  readonly attributeHidden: Float32Array;
  readonly ownerHidden: Float32Array;
  readonly pairIn: Float32Array;
  readonly pairStates: Float32Array;
  readonly labelScores: Float32Array;
  readonly queries: Readonly<Record<Slot, Float32Array>>;
  /** `Kernels.pairInputs`: six numbers for each pair. */
  readonly pairRows: Int32Array;
  readonly pairMax: Float32Array;
  readonly ownerIn: Float32Array;
  readonly ownerScores: Float32Array;

  constructor(
    kernels: ParserKernels,
    { input, hidden, tagHidden, pairHidden, attributeHidden, labels }: NetworkSizes,
    { rows, pairs, owners }: Capacity,
  ) {
    const of = (count: number, width: number) => kernels.floats(count * width);
    this.x = of(rows, input);
    this.windowed = of(rows, hidden);
    this.contextGates = of(rows, 2 * hidden);
    this.contextSums = of(rows, hidden);
    this.states = of(rows, hidden);
    this.tagHidden = of(rows, tagHidden);
    this.tagScores = of(rows, tagStride);
    this.tagProbabilities = of(rows, tagStride);
    this.taggedStates = of(rows, hidden);
    this.relationGates = of(rows, 2 * hidden);
    this.relationSums = of(rows, hidden);
    this.relationStates = of(rows, hidden);
    this.between = of(rows, pairHidden);
    this.mentionStates = of(rows, hidden);
    this.mentionRoles = of(rows, 4 * pairHidden);
    this.attributeStates = of(rows, hidden);
    this.attributeHidden = of(rows, attributeHidden);
    this.ownerHidden = of(rows, attributeHidden);
    this.pairIn = of(pairs, pairHidden);
    this.pairStates = of(pairs, pairHidden);
    this.labelScores = of(pairs, labels);
    this.queries = { verb: of(pairs, hidden), preposition: of(pairs, hidden) };
    this.pairRows = kernels.integers(pairs * pairColumns);
    this.pairMax = of(pairs, pairHidden);
    this.ownerIn = of(owners, attributeHidden);
    this.ownerScores = of(owners, 8);
  }
}
