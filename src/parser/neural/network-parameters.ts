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

/** Pairs of mentions with more mentions between them are not looked at. */
export const pairReach = 6;
/** Mentions further away, in words, own no attribute. */
export const ownerReach = 12;
/** What stands for the tokens between two mentions where there are none. */
export const emptyBetween = -5;
/** What the product of a pair's query and a word's state is multiplied with. */
export const slotScale = 0.125;

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

/** @param tokens between the two mentions; steps from mention to mention */
export const distanceOf = (tokens: number): number => Math.min(tokens, 9);
export const stepsOf = (mentions: number): number => 9 + Math.min(mentions, 6);

/** @param gap tokens from the end of the attribute to the start of the mention, below zero where the mention is before */
export const attributeDistanceOf = (gap: number): number => Math.max(-7, Math.min(7, gap)) + 8;
