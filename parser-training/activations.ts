import { structIndices } from '../src/parser/neural/kernels/create-struct.js';
import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import { type NetworkSizes, tagStride } from '../src/parser/neural/network-parameters.js';

/** The rows of a batch that hold a caption's words. */
export interface CaptionRows {
  readonly start: number;
  readonly length: number;
}

/** Two mentions of a batch, in reading order. */
export interface PairRows {
  /** Indices of the mentions in the batch. */
  readonly first: number;
  readonly second: number;
  /** The rows between the two: the first one and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** Rows of the table `distances` for the number of words and of mentions from one to the other. */
  readonly distance: number;
  readonly steps: number;
}

/** An attribute and a mention that may own it. */
export interface OwnerRows {
  readonly attribute: number;
  readonly mention: number;
  readonly distance: number;
}

/** The first and the last row of a span. */
export interface SpanRows {
  readonly first: number;
  readonly last: number;
}

/** Positions of captions, phrases, pairs and owners in the rows of a batch. */
export interface BatchLayout {
  readonly rows: number;
  readonly captions: readonly CaptionRows[];
  readonly compounds: Uint8Array;
  readonly mentions: readonly SpanRows[];
  readonly pairs: readonly PairRows[];
  readonly attributes: readonly SpanRows[];
  readonly owners: readonly OwnerRows[];
}

/** What a label may copy from the caption. */
export type Slot = 'verb' | 'preposition';
export const slots: readonly Slot[] = ['verb', 'preposition'];

/** The largest batch that arrays have room for. The kernels do not check it. */
export interface Capacity {
  readonly rows: number;
  readonly pairs: number;
  /** Pairs of an attribute and a mention. */
  readonly owners: number;
}

/** The layout of a row of `pairRows`. */
export const pairFields = structIndices('Pair');

/** The network's arrays for a batch of captions, reused from batch to batch. */
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
  /** Each mention's terms as the first and as the second of a pair, and its factors as first and as second. */
  readonly mentionRoles: Float32Array;
  readonly attributeStates: Float32Array;
  readonly attributeHidden: Float32Array;
  readonly ownerHidden: Float32Array;
  readonly pairIn: Float32Array;
  readonly pairStates: Float32Array;
  readonly labelScores: Float32Array;
  readonly queries: Readonly<Record<Slot, Float32Array>>;
  /** The argument `pairs` of `ParserKernels.pairInputs`. */
  readonly pairRows: Int32Array;
  readonly pairMax: Float32Array;
  readonly ownerIn: Float32Array;
  readonly ownerScores: Float32Array;

  constructor(
    kernels: ParserKernels,
    { input, hidden, tagHidden, pairHidden, attributeHidden, labels }: NetworkSizes,
    { rows, pairs, owners }: Capacity,
  ) {
    const floats = (count: number, width: number) => kernels.floats(count * width);
    this.x = floats(rows, input);
    this.windowed = floats(rows, hidden);
    this.contextGates = floats(rows, 2 * hidden);
    this.contextSums = floats(rows, hidden);
    this.states = floats(rows, hidden);
    this.tagHidden = floats(rows, tagHidden);
    this.tagScores = floats(rows, tagStride);
    this.tagProbabilities = floats(rows, tagStride);
    this.taggedStates = floats(rows, hidden);
    this.relationGates = floats(rows, 2 * hidden);
    this.relationSums = floats(rows, hidden);
    this.relationStates = floats(rows, hidden);
    this.between = floats(rows, pairHidden);
    this.mentionStates = floats(rows, hidden);
    this.mentionRoles = floats(rows, 4 * pairHidden);
    this.attributeStates = floats(rows, hidden);
    this.attributeHidden = floats(rows, attributeHidden);
    this.ownerHidden = floats(rows, attributeHidden);
    this.pairIn = floats(pairs, pairHidden);
    this.pairStates = floats(pairs, pairHidden);
    this.labelScores = floats(pairs, labels);
    this.queries = { verb: floats(pairs, hidden), preposition: floats(pairs, hidden) };
    this.pairRows = kernels.integers(pairs * pairFields.length);
    this.pairMax = floats(pairs, pairHidden);
    this.ownerIn = floats(owners, attributeHidden);
    this.ownerScores = floats(owners, 8);
  }
}
