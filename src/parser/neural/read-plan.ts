import { packMatrix } from './kernels/pack-matrix.js';
import type { PackedMatrix } from './kernels/packed-matrix.js';
import { type ParserKernels, tagWork } from './kernels/parser-kernels.js';
import { type LinearLayer, linearLayers } from './linear-layers.js';
import {
  emptyBetween,
  type NetworkSizes,
  ownerReach,
  type Parameters,
  pairReach,
  parameterShapes,
  slotScale,
  tagCount,
  tagStride,
  windowSize,
} from './network-parameters.js';
import type { RelationLabels } from './relation-labels.js';

/** What a caption may have at most. */
export interface ReadLimits {
  /** Words. */
  readonly rows: number;
  /** Taggings that are looked at of captions of at most `severalRows` words; of longer ones it is one. */
  readonly readings: number;
  readonly severalRows: number;
  /** Words whose gifts to their neighbours are kept. */
  readonly words: number;
}

/** Where `Kernels.read` finds the network, the caption and room to work. */
export interface ReadPlan {
  /** Of the fields of `Plan` (kernels/structs.as.ts), in its order. */
  readonly addresses: Int32Array;
  /** By row: which of the `words` stands there. */
  readonly slots: Int32Array;
  /** By row: whether it is one noun with the one before (1), after (2), both (3) or neither (0). */
  readonly compoundFlags: Int32Array;
  /** By row: 1 where a verb stands, 2 where a preposition starts. */
  readonly fillings: Uint8Array;
  /** What each of the words gives to the rows around it, for each place in the window. `[words, window, hidden]` */
  readonly given: Float32Array;
  /** What was found: see kernels/read-caption.as.ts. */
  readonly found: Int32Array;
  readonly confidences: Float64Array;
}

/** Packs the network's layers and lays out all that reading needs. */
export function readPlan(
  kernels: ParserKernels,
  sizes: NetworkSizes,
  parameters: Parameters,
  labels: RelationLabels,
  { rows, readings, severalRows, words }: ReadLimits,
): ReadPlan {
  const { hidden, tagHidden, pairHidden, attributeHidden } = sizes;
  // All taggings of a short caption together have fewer spans and pairs than the longest caption has of one.
  const pairs = pairReach * rows;
  const owners = (2 * ownerReach + 1) * rows;
  const waysAtOnce = Math.max(rows, readings * severalRows);
  const floats = (count: number, width = 1) => kernels.floats(count * width).byteOffset;
  const integers = (count: number) => kernels.integers(count).byteOffset;
  const doubles = (count: number) => kernels.doubles(count).byteOffset;
  const bytes = (count: number) => kernels.bytes(count).byteOffset;
  const given = kernels.floats(words * windowSize * hidden);
  const [slots, compoundFlags, fillings] = [kernels.integers(rows), kernels.integers(rows), kernels.bytes(rows)];
  const needed = (flags: Uint8Array) => {
    const kept = kernels.bytes(sizes.labels);
    kept.set(flags);
    return kept.byteOffset;
  };
  const spans = () => addressOf(kernels, [0, integers(2 * rows), integers(waysAtOnce), integers(readings)]);
  const matrix = (layer: LinearLayer) => addressOf(kernels, matrixFields(packLayer(kernels, sizes, parameters, layer)));
  const found = kernels.integers(3 + 2 * rows + (3 + owners / rows) * rows + 5 * pairs);
  const confidences = kernels.doubles(pairs);
  const fields = [
    ...[hidden, pairHidden, attributeHidden, sizes.labels, windowSize, tagCount, pairReach, ownerReach],
    ...[floatBits(emptyBetween), floatBits(slotScale)],
    ...[parameters.windowBias, parameters.compounds, parameters.transitions, parameters.starts].map(addressIn),
    ...[parameters.tagStates, parameters.distances, parameters.pairBias].map(addressIn),
    ...[parameters.attributeDistances, parameters.attributeBias].map(addressIn),
    ...layersInOrder.map(matrix),
    ...[needed(labels.needsVerb), needed(labels.needsPreposition)],
    ...[slots, given, compoundFlags, fillings].map(addressIn),
    // windowed, gates, sums, state
    ...[floats(rows, hidden), floats(rows, 2 * hidden), floats(rows, hidden), floats(rows, hidden)],
    // tagHidden, tagScores, tagBeliefs, relateIn, related
    ...[floats(rows, tagHidden), floats(rows, tagStride), floats(rows, tagStride)],
    ...[floats(rows, hidden), floats(rows, hidden)],
    // between, spanStates, mentionRoles, attributeStates, ownerStates
    ...[floats(rows, pairHidden), floats(rows, hidden), floats(rows, 4 * pairHidden)],
    ...[floats(rows, attributeHidden), floats(rows, attributeHidden)],
    // pairRows, pairMost, pairIn, pairStates, labelScores, queries
    ...[integers(6 * pairs), floats(pairs, pairHidden), floats(pairs, pairHidden), floats(pairs, pairHidden)],
    ...[floats(pairs, sizes.labels), floats(pairs, hidden)],
    // ownerIn, ownerScores
    ...[floats(owners, attributeHidden), floats(owners, 8)],
    // tagWork, tags, totals, mentions, attributes
    ...[doubles(tagWork * waysAtOnce), bytes(waysAtOnce), doubles(readings), spans(), spans()],
    // placedPairs, placedPairCounts, pairLabels, pairProbabilities, pairVerbs, pairPrepositions
    ...[integers(3 * pairs), integers(readings), integers(pairs), floats(pairs), integers(pairs), integers(pairs)],
    // pairScores, pairConfidences, pairSilences, owners, placedOwners, placedOwnerCounts
    ...[doubles(pairs), doubles(pairs), floats(pairs), integers(3 * owners), integers(owners), integers(readings)],
    // readings, mentionBeliefs, pairBeliefs, ownerBeliefs
    ...[doubles(3 * readings), doubles(waysAtOnce), doubles(pairs), doubles(owners)],
    ...[found, confidences].map(addressIn),
    kernels.scratch,
  ];
  const addresses = kernels.integers(fields.length);
  addresses.set(fields);
  return { addresses, slots, compoundFlags, fillings, given, found, confidences };
}

/** As they stand in `Plan`. */
const layersInOrder = [
  'context',
  'tagHidden',
  'tags',
  'relate',
  'mention',
  'between',
  'pair',
  'labels',
  'verb',
  'preposition',
  'attribute',
  'owner',
  'attributeScore',
] as const satisfies readonly LinearLayer[];

function packLayer(
  kernels: ParserKernels,
  sizes: NetworkSizes,
  parameters: Parameters,
  layer: LinearLayer,
): PackedMatrix {
  const [inputs, outputs] = parameterShapes(sizes)[layer];
  const { bias } = linearLayers[layer];
  return packMatrix(kernels, inputs, outputs, parameters[layer], bias && parameters[bias]);
}

const matrixFields = ({ inputs, outputs, whole, scales, bias }: PackedMatrix) => [
  inputs,
  outputs,
  ...[whole, scales, bias].map(addressIn),
];

const addressIn = ({ byteOffset }: { readonly byteOffset: number }) => byteOffset;

/** Of a record of 32-bit fields. */
function addressOf(kernels: ParserKernels, fields: readonly number[]): number {
  const record = kernels.integers(fields.length);
  record.set(fields);
  return record.byteOffset;
}

/** A 32-bit float's bits. */
const floatBits = (value: number) => new Int32Array(Float32Array.of(value).buffer)[0]!;
