import { allocateStructs, createStruct, structIndices } from './kernels/create-struct.js';
import { packMatrix } from './kernels/pack-matrix.js';
import { type ParserKernels, viterbiScratch } from './kernels/parser-kernels.js';
import { type LinearLayer, linearLayers } from './linear-layers.js';
import {
  emptyBetween,
  maxOwnerGap,
  maxPairSteps,
  type NetworkSizes,
  type Parameters,
  parameterShapes,
  slotScale,
  tagCount,
  tagStride,
  windowSize,
} from './network-parameters.js';
import type { RelationLabels } from './relation-labels.js';

/** Sizes that a plan has room for. */
export interface ReadLimits {
  /** Most words of a caption. */
  readonly rows: number;
  /** Most taggings to compare for a caption of at most `comparedRows` words; longer ones get one. */
  readonly hypotheses: number;
  readonly comparedRows: number;
  /** Most words whose contributions are cached. */
  readonly words: number;
}

/** The memory of `ParserKernels.readCaption`: the network, the caption, the result and buffers. */
export interface ReadPlan {
  /** Address of the struct `Plan` (kernels/structs.as.ts). */
  readonly address: number;
  /** `[rows]`: the index of each row's word in `contributions`. */
  readonly wordIds: Int32Array;
  /** `[rows]`: whether the word forms a compound noun with the one before (1), after (2), both (3) or neither (0). */
  readonly compoundFlags: Int32Array;
  /** `[rows]`: 1 for a verb, 2 for the start of a preposition, 3 for both. */
  readonly fillerFlags: Uint8Array;
  /** `[words, window, hidden]`: what a word adds to the rows around it, by its position in their windows. */
  readonly contributions: Float32Array;
  /** The mentions, attributes and relations found: see kernels/read-caption.as.ts. */
  readonly result: Int32Array;
  /** One confidence per relation. */
  readonly confidences: Float64Array;
}

const { length: resultCounts } = structIndices('ResultCounts');
const { length: spanLength } = structIndices('Span');
const { length: attributeLength } = structIndices('ResultAttribute');
const { length: relationLength } = structIndices('ResultRelation');

/** Packs the network's layers and allocates all memory that reading captions needs. */
export function createReadPlan(
  kernels: ParserKernels,
  sizes: NetworkSizes,
  parameters: Parameters,
  labels: RelationLabels,
  { rows, hypotheses, comparedRows, words }: ReadLimits,
): ReadPlan {
  const { hidden, tagHidden, pairHidden, attributeHidden } = sizes;
  // All taggings of a compared caption together have fewer spans and pairs than one tagging of the longest caption.
  const pairs = maxPairSteps * rows;
  const owners = (2 * maxOwnerGap + 1) * rows;
  const taggedRows = Math.max(rows, hypotheses * comparedRows);
  const floats = (count: number, width = 1) => kernels.floats(count * width).byteOffset;
  const integers = (count: number) => kernels.integers(count).byteOffset;
  const doubles = (count: number) => kernels.doubles(count).byteOffset;
  const bytes = (count: number) => kernels.bytes(count).byteOffset;
  const copied = (flags: Uint8Array) => {
    const copy = kernels.bytes(sizes.labels);
    copy.set(flags);
    return copy.byteOffset;
  };
  const spans = () =>
    createStruct(kernels, 'Spans', {
      count: 0,
      bounds: allocateStructs(kernels, 'Span', rows).byteOffset,
      indices: integers(taggedRows),
      counts: integers(hypotheses),
    });
  const layer = (name: LinearLayer) => createLayer(kernels, sizes, parameters, name);
  const caption = {
    wordIds: kernels.integers(rows),
    contributions: kernels.floats(words * windowSize * hidden),
    compoundFlags: kernels.integers(rows),
    fillerFlags: kernels.bytes(rows),
  };
  const found = {
    result: kernels.integers(resultCounts + (spanLength + attributeLength) * rows + owners + relationLength * pairs),
    confidences: kernels.doubles(pairs),
  };
  const address = createStruct(kernels, 'Plan', {
    hidden,
    pairHidden,
    attributeHidden,
    labels: sizes.labels,
    windowSize,
    tagCount,
    maxPairSteps,
    maxOwnerGap,
    emptyBetween,
    slotScale,

    windowBias: parameters.windowBias.byteOffset,
    compounds: parameters.compounds.byteOffset,
    transitions: parameters.transitions.byteOffset,
    starts: parameters.starts.byteOffset,
    tagEmbeddings: parameters.tagEmbeddings.byteOffset,
    distances: parameters.distances.byteOffset,
    pairBias: parameters.pairBias.byteOffset,
    attributeDistances: parameters.attributeDistances.byteOffset,
    attributeBias: parameters.attributeBias.byteOffset,

    contextLayer: layer('context'),
    tagHiddenLayer: layer('tagHidden'),
    tagsLayer: layer('tags'),
    relationContextLayer: layer('relationContext'),
    mentionLayer: layer('mention'),
    betweenLayer: layer('between'),
    pairLayer: layer('pair'),
    labelsLayer: layer('labels'),
    verbLayer: layer('verb'),
    prepositionLayer: layer('preposition'),
    attributeLayer: layer('attribute'),
    ownerLayer: layer('owner'),
    attributeScoreLayer: layer('attributeScore'),
    needsVerb: copied(labels.needsVerb),
    needsPreposition: copied(labels.needsPreposition),

    wordIds: caption.wordIds.byteOffset,
    contributions: caption.contributions.byteOffset,
    compoundFlags: caption.compoundFlags.byteOffset,
    fillerFlags: caption.fillerFlags.byteOffset,

    windowed: floats(rows, hidden),
    gates: floats(rows, 2 * hidden),
    gatedSums: floats(rows, hidden),
    states: floats(rows, hidden),
    tagHidden: floats(rows, tagHidden),
    tagScores: floats(rows, tagStride),
    tagProbabilities: floats(rows, tagStride),
    taggedStates: floats(rows, hidden),
    relationStates: floats(rows, hidden),
    between: floats(rows, pairHidden),
    spanStates: floats(rows, hidden),
    mentionRoles: floats(rows, 4 * pairHidden),
    attributeStates: floats(rows, attributeHidden),
    ownerStates: floats(rows, attributeHidden),
    pairs: allocateStructs(kernels, 'Pair', pairs).byteOffset,
    pairMax: floats(pairs, pairHidden),
    pairIn: floats(pairs, pairHidden),
    pairStates: floats(pairs, pairHidden),
    labelScores: floats(pairs, sizes.labels),
    queries: floats(pairs, hidden),
    ownerIn: floats(owners, attributeHidden),
    ownerScores: floats(owners, 8),

    viterbiScratch: doubles(viterbiScratch * taggedRows),
    tags: bytes(taggedRows),
    tagTotals: doubles(hypotheses),
    mentions: spans(),
    attributes: spans(),
    taggingPairs: allocateStructs(kernels, 'TaggingPair', pairs).byteOffset,
    taggingPairCounts: integers(hypotheses),
    pairLabels: integers(pairs),
    pairProbabilities: floats(pairs),
    pairVerbs: integers(pairs),
    pairPrepositions: integers(pairs),
    pairLogProbabilities: doubles(pairs),
    pairConfidences: doubles(pairs),
    pairNoneProbabilities: floats(pairs),
    owners: allocateStructs(kernels, 'Owner', owners).byteOffset,
    taggingOwners: integers(owners),
    taggingOwnerCounts: integers(hypotheses),
    hypotheses: allocateStructs(kernels, 'Hypothesis', hypotheses).byteOffset,
    mentionPosteriors: doubles(taggedRows),
    pairPosteriors: doubles(pairs),
    ownerPosteriors: doubles(owners),
    result: found.result.byteOffset,
    confidences: found.confidences.byteOffset,
    scratch: kernels.scratch,
  });
  return { address, ...caption, ...found };
}

/** Packs a layer's weights. @returns the address of a struct `Matrix` */
function createLayer(kernels: ParserKernels, sizes: NetworkSizes, parameters: Parameters, layer: LinearLayer): number {
  const [inputs, outputs] = parameterShapes(sizes)[layer];
  const { bias } = linearLayers[layer];
  const packed = packMatrix(kernels, inputs, outputs, parameters[layer], bias && parameters[bias]);
  return createStruct(kernels, 'Matrix', {
    inputs,
    outputs,
    weights: packed.weights.byteOffset,
    scales: packed.scales.byteOffset,
    bias: packed.bias.byteOffset,
  });
}
