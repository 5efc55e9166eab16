import { affixRows, shapeRows } from './word-inputs.js';

/** Widths of the network's arrays, all multiples of 8. */
export interface NetworkSizes {
  /** Width of a word vector. */
  readonly input: number;
  /** Width of a word's state. */
  readonly hidden: number;
  readonly tagHidden: number;
  readonly pairHidden: number;
  readonly attributeHidden: number;
  /** Number of relation labels, rounded up. */
  readonly labels: number;
}

/** Words before and after a word that its first layer sees. */
export const windowRadius = 2;
export const windowSize = 2 * windowRadius + 1;

/** Number of tags: outside, begin or inside an entity, begin or inside an attribute. */
export const tagCount = 5;
/** Width of a row of tag scores, a multiple of 8 for the kernels. */
export const tagStride = 8;

/** Most steps from mention to mention within a pair: pairs further apart have no relation. */
export const maxPairSteps = 6;
/** Most words between an attribute and its owner. */
export const maxOwnerGap = 12;
/** Stands for the maximum over the words between two adjacent mentions. */
export const emptyBetween = -5;
/** Scale of the dot product of a pair's query and a word's state. */
export const slotScale = 0.125;

/** Rows of the table of distances: in words, then in mentions. */
const distanceRows = 16;
const attributeDistanceRows = 16;

/** Returns the number of rows and columns of each parameter. */
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
    tagEmbeddings: [tagStride, sizes.hidden],
    relationContext: [sizes.hidden, 2 * sizes.hidden],
    relationContextBias: [1, 2 * sizes.hidden],
    mention: [sizes.hidden, 4 * sizes.pairHidden],
    between: [sizes.hidden, sizes.pairHidden],
    distances: [distanceRows, sizes.pairHidden],
    pairBias: [1, sizes.pairHidden],
    pair: [sizes.pairHidden, sizes.pairHidden],
    pairHiddenBias: [1, sizes.pairHidden],
    labels: [sizes.pairHidden, sizes.labels],
    labelBias: [1, sizes.labels],
    verb: [sizes.pairHidden, sizes.hidden],
    preposition: [sizes.pairHidden, sizes.hidden],
    attribute: [sizes.hidden, sizes.attributeHidden],
    owner: [sizes.hidden, sizes.attributeHidden],
    attributeDistances: [attributeDistanceRows, sizes.attributeHidden],
    attributeBias: [1, sizes.attributeHidden],
    attributeScore: [sizes.attributeHidden, 8],
    attributeScoreBias: [1, 8],
  }) satisfies Record<string, readonly [rows: number, columns: number]>;

export type ParameterName = keyof ReturnType<typeof parameterShapes>;
export type Parameters = Readonly<Record<ParameterName, Float32Array>>;

/** Returns the row of `distances` for a number of words between two mentions. */
export const distanceRow = (words: number): number => Math.min(words, 9);
/** Returns the row of `distances` for a number of steps from mention to mention. */
export const stepRow = (steps: number): number => 9 + Math.min(steps, 6);

/**
 * Returns the row of `attributeDistances`.
 * @param gap words from the end of the attribute to the start of the mention; negative if the mention comes first
 */
export const attributeDistanceRow = (gap: number): number => Math.max(-7, Math.min(7, gap)) + 8;
