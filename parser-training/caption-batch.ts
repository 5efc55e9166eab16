import { type NetworkSizes, tagStride, windowRadius } from '../src/parser/neural/network-parameters.js';
import type { Activations, BatchLayout, Capacity, CaptionRows, OwnerRows, PairRows, SpanRows } from './activations.js';
import { slots } from './activations.js';
import type { TrainingExample } from './training-example.js';

/** The largest batch of training. */
export const batchCapacity: Capacity = { rows: 4096, pairs: 4096, owners: 4096 };

/** The captions of a batch in the rows of the network. */
export interface Batch extends BatchLayout {
  readonly words: readonly (string | null)[];
  readonly examples: readonly TrainingExample[];
  /** Indices of each caption's first pair and owner in the batch. */
  readonly offsets: readonly { readonly pairs: number; readonly owners: number }[];
}

/**
 * Places captions one after another, with rows of zeros before, between and after them.
 * @throws RangeError for a batch above the capacity
 */
export function createBatch(examples: readonly TrainingExample[]): Batch {
  const words: (string | null)[] = [];
  const pad = () => {
    for (let k = 0; k < windowRadius; k++) words.push(null);
  };
  const captions: CaptionRows[] = [];
  for (const { words: own } of examples) {
    pad();
    captions.push({ start: words.length, length: own.length });
    words.push(...own);
  }
  pad();
  const rows = words.length;
  const compounds = new Uint8Array(rows);
  const mentions: SpanRows[] = [];
  const attributes: SpanRows[] = [];
  const pairs: PairRows[] = [];
  const owners: OwnerRows[] = [];
  const offsets = examples.map((example, n) => {
    const { start } = captions[n]!;
    compounds.set(example.compounds, start);
    const offset = { pairs: pairs.length, owners: owners.length };
    const [mention, attribute] = [mentions.length, attributes.length];
    const spanRows = (span: { start: number; end: number }) => ({
      first: start + span.start,
      last: start + span.end - 1,
    });
    mentions.push(...example.mentions.map(spanRows));
    attributes.push(...example.attributes.map(spanRows));
    for (const { first, second, distance, steps } of example.pairs)
      pairs.push({
        first: mention + first,
        second: mention + second,
        from: start + example.mentions[first]!.end,
        to: start + example.mentions[second]!.start,
        distance,
        steps,
      });
    for (const owner of example.owners)
      owners.push({
        attribute: attribute + owner.attribute,
        mention: mention + owner.mention,
        distance: owner.distance,
      });
    return offset;
  });
  for (const [what, count, limit] of [
    ['rows', rows, batchCapacity.rows],
    ['pairs', pairs.length, batchCapacity.pairs],
    ['owners', owners.length, batchCapacity.owners],
  ] as const)
    if (count > limit)
      throw new RangeError(`createBatch: ${count} ${what}, expected at most ${limit}: use a smaller batch`);
  return { words, rows, captions, compounds, mentions, pairs, attributes, owners, examples, offsets };
}

/** Zeroes the arrays of gradients that a batch accumulates. */
export function clearGradients(
  g: Activations,
  sizes: NetworkSizes,
  { rows, mentions, attributes, pairs, owners }: BatchLayout,
): void {
  const { input, hidden, tagHidden, pairHidden, attributeHidden, labels } = sizes;
  const zero = (values: Float32Array, count: number, width: number) => values.fill(0, 0, count * width);
  zero(g.x, rows, input);
  for (const values of [g.windowed, g.contextSums, g.states, g.taggedStates, g.relationSums, g.relationStates])
    zero(values, rows, hidden);
  for (const values of [g.contextGates, g.relationGates]) zero(values, rows, 2 * hidden);
  zero(g.tagHidden, rows, tagHidden);
  zero(g.tagScores, rows, tagStride);
  zero(g.between, rows, pairHidden);
  zero(g.mentionStates, mentions.length, hidden);
  zero(g.mentionRoles, mentions.length, 4 * pairHidden);
  zero(g.ownerHidden, mentions.length, attributeHidden);
  zero(g.attributeStates, attributes.length, hidden);
  zero(g.attributeHidden, attributes.length, attributeHidden);
  zero(g.pairIn, pairs.length, pairHidden);
  zero(g.pairStates, pairs.length, pairHidden);
  zero(g.labelScores, pairs.length, labels);
  for (const slot of slots) zero(g.queries[slot], pairs.length, hidden);
  zero(g.ownerIn, owners.length, attributeHidden);
  zero(g.ownerScores, owners.length, 8);
}
