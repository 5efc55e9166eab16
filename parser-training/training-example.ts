import { attributeDistanceRow, distanceRow, maxPairSteps, stepRow } from '../src/parser/neural/network-parameters.js';
import {
  labelOf,
  NONE,
  PREPOSITION,
  type RelationLabels,
  relationLabelPrepositions,
  VERB,
} from '../src/parser/neural/relation-labels.js';
import { TAG, tagSequencePhrases } from '../src/parser/neural/tag-sequence.js';
import { compoundFlags, verbOf } from '../src/parser/neural/word-inputs.js';
import type { AlignedCaption } from './aligned-caption.js';
import type { SoftTargets } from './soft-targets.js';

/** A caption as numbers: the network's input and its targets. */
export interface TrainingExample {
  readonly words: readonly string[];
  readonly compounds: Uint8Array;
  readonly tags: Uint8Array;
  readonly mentions: readonly { readonly start: number; readonly end: number }[];
  readonly pairs: readonly ExamplePair[];
  readonly attributes: readonly { readonly start: number; readonly end: number }[];
  readonly owners: readonly ExampleOwner[];
  /** Indices of the words that may fill a label's verb, and of those at which a preposition starts. */
  readonly verbs: readonly number[];
  readonly prepositions: readonly number[];
  /** Probabilities of a teacher that was not trained on the caption. */
  readonly soft?: SoftTargets;
}

/** Two mentions and their relation. */
export interface ExamplePair {
  readonly first: number;
  readonly second: number;
  readonly label: number;
  /** Indices of the words that fill the label, or -1. */
  readonly verb: number;
  readonly preposition: number;
  readonly distance: number;
  readonly steps: number;
}

/** An attribute and a mention that may own it. */
export interface ExampleOwner {
  readonly attribute: number;
  readonly mention: number;
  readonly distance: number;
  readonly owns: boolean;
}

/** The label of a relation and the words that fill it. */
export interface LabeledRelation {
  readonly label: string;
  readonly verb: number;
  readonly preposition: number;
}

/** Finds the label of a relation: a verb and a preposition that the caption has near the two mentions become placeholders. */
export function labelRelation(
  { tokens, mentions }: AlignedCaption,
  { subject, object, predicate }: { readonly subject: number; readonly object: number; readonly predicate: string },
): LabeledRelation {
  const isForward = subject < object;
  const [a, b] = isForward ? [mentions[subject]!, mentions[object]!] : [mentions[object]!, mentions[subject]!];
  const middle = (a.end + b.start - 1) / 2;
  const nearest = (fits: (t: number) => boolean): number => {
    let best = -1;
    for (let t = 0; t < tokens.length; t++)
      if (fits(t) && (best < 0 || Math.abs(t - middle) < Math.abs(best - middle))) best = t;
    return best;
  };
  const words = predicate.split(' ');
  const verb = nearest((t) => verbOf(tokens[t]!) === words[0]);
  const rest = verb < 0 ? predicate : words.slice(1).join(' ');
  const preposition = rest === '' ? -1 : nearest((t) => relationLabelPrepositions(tokens, t) === rest);
  const parts = [...(verb < 0 ? [] : [VERB]), ...(preposition >= 0 ? [PREPOSITION] : rest === '' ? [] : [rest])];
  return { label: labelOf(isForward, parts), verb, preposition };
}

/** Converts an aligned caption to an example; null if `labels` lacks the label of a relation. */
export function labeledExample(caption: AlignedCaption, labels: RelationLabels): TrainingExample | null {
  const { tokens, mentions, attributes, relations } = caption;
  const tags = new Uint8Array(tokens.length);
  for (const { start, end } of attributes) tags.fill(TAG.inAttribute, start, end).fill(TAG.attribute, start, start + 1);
  for (const { start, end } of mentions) tags.fill(TAG.inEntity, start, end).fill(TAG.entity, start, start + 1);
  const pairs: ExamplePair[] = [];
  for (const pair of pairsOf(mentions)) {
    const { first, second } = pair;
    const relation = relations.find(
      ({ subject, object }) => (subject === first && object === second) || (subject === second && object === first),
    );
    const { label, ...copied } = relation ? labelRelation(caption, relation) : noRelation;
    const index = labels.names.indexOf(label);
    if (index < 0) return null;
    pairs.push({ ...pair, label: index, ...copied });
  }
  const owners = ownersOf(attributes, mentions, (attribute, mention) =>
    attributes[attribute]!.mentions.includes(mention),
  );
  return { ...unlabeledExample(tokens), tags, mentions, pairs, attributes, owners };
}

/** Returns an example with words only. */
export function unlabeledExample(words: readonly string[]): TrainingExample {
  const indices = [...words.keys()];
  return {
    words,
    compounds: compoundFlags(words),
    tags: new Uint8Array(words.length),
    mentions: [],
    pairs: [],
    attributes: [],
    owners: [],
    verbs: indices.filter((t) => verbOf(words[t]!) !== undefined),
    prepositions: indices.filter((t) => relationLabelPrepositions(words, t) !== undefined),
  };
}

/** Returns an example with the phrases that tags mark, without relations and owners. */
export function taggedExample(example: TrainingExample, tags: Uint8Array): TrainingExample {
  const { mentions, attributes } = tagSequencePhrases(tags);
  const pairs = pairsOf(mentions).map((pair) => ({ ...pair, label: NONE, verb: -1, preposition: -1 }));
  return { ...example, tags, mentions, attributes, pairs, owners: ownersOf(attributes, mentions, () => false) };
}

interface Extent {
  readonly start: number;
  readonly end: number;
}

function pairsOf(mentions: readonly Extent[]) {
  const pairs: Pick<ExamplePair, 'first' | 'second' | 'distance' | 'steps'>[] = [];
  for (let second = 1; second < mentions.length; second++)
    for (let first = Math.max(0, second - maxPairSteps); first < second; first++) {
      const distance = distanceRow(mentions[second]!.start - mentions[first]!.end);
      pairs.push({ first, second, distance, steps: stepRow(second - first) });
    }
  return pairs;
}

const ownersOf = (
  attributes: readonly Extent[],
  mentions: readonly Extent[],
  owns: (attribute: number, mention: number) => boolean,
): ExampleOwner[] =>
  attributes.flatMap(({ end }, attribute) =>
    mentions.map(({ start }, mention) => ({
      attribute,
      mention,
      distance: attributeDistanceRow(start - end),
      owns: owns(attribute, mention),
    })),
  );

const noRelation: LabeledRelation = { label: '', verb: -1, preposition: -1 };

/** Joins two captions with a word between them; neither has relations to the other. */
export function joinExamples(a: TrainingExample, b: TrainingExample, between: string): TrainingExample {
  const shift = a.words.length + 1;
  const tags = new Uint8Array(shift + b.words.length);
  tags.set(a.tags);
  tags.set(b.tags, shift);
  const compounds = new Uint8Array(tags.length);
  compounds.set(a.compounds);
  compounds.set(b.compounds, shift);
  const moved = <T extends { readonly start: number; readonly end: number }>(span: T) => ({
    ...span,
    start: span.start + shift,
    end: span.end + shift,
  });
  const mentions = [...a.mentions, ...b.mentions.map(moved)];
  const attributes = [...a.attributes, ...b.attributes.map(moved)];
  const [offset, attributeOffset] = [a.mentions.length, a.attributes.length];
  const later = (t: number) => (t < 0 ? t : t + shift);
  const pairs: ExamplePair[] = [
    ...a.pairs,
    ...b.pairs.map((pair) => ({
      ...pair,
      first: pair.first + offset,
      second: pair.second + offset,
      verb: later(pair.verb),
      preposition: later(pair.preposition),
    })),
  ];
  for (let second = offset; second < mentions.length; second++)
    for (let first = Math.max(0, second - maxPairSteps); first < offset; first++)
      pairs.push({
        first,
        second,
        label: NONE,
        verb: -1,
        preposition: -1,
        distance: distanceRow(mentions[second]!.start - mentions[first]!.end),
        steps: stepRow(second - first),
      });
  const owners: ExampleOwner[] = attributes.flatMap((attribute, index) =>
    mentions.map((mention, m) => {
      const distance = attributeDistanceRow(mention.start - attribute.end);
      const isA = index < attributeOffset;
      const own = isA
        ? a.owners.find((owner) => owner.attribute === index && owner.mention === m)
        : b.owners.find((owner) => owner.attribute === index - attributeOffset && owner.mention === m - offset);
      return { attribute: index, mention: m, distance, owns: own?.owns ?? false };
    }),
  );
  return {
    words: [...a.words, between, ...b.words],
    compounds,
    tags,
    mentions,
    pairs,
    attributes,
    owners,
    verbs: [...a.verbs, ...b.verbs.map(later)],
    prepositions: [...a.prepositions, ...b.prepositions.map(later)],
  };
}
