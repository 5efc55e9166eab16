import { verbOf, compoundFlags } from '../learned/word-inputs.js';
import { attributeDistanceOf, distanceOf, stepsOf } from '../learned/network.js';
import { labelOf, type RelationLabels, VERB } from '../learned/relation-labels.js';
import { pairReach } from '../learned/caption-reader.js';
import { TAG } from '../learned/tag-sequence.js';
import type { AlignedCaption } from './aligned-caption.js';




/** A caption as numbers: what the network is shown, and what it should say. */
export interface Example {
  readonly words: readonly string[];
  readonly compounds: Uint8Array;
  readonly tags: Uint8Array;
  readonly mentions: readonly { readonly start: number; readonly end: number }[];
  readonly pairs: readonly ExamplePair[];
  readonly attributes: readonly { readonly start: number; readonly end: number }[];
  readonly owners: readonly ExampleOwner[];
  /** Tokens that may fill an open label. */
  readonly verbs: readonly number[];
}

export interface ExamplePair {
  readonly first: number;
  readonly second: number;
  readonly label: number;
  /** The token whose verb fills the label, or -1. */
  readonly verb: number;
  readonly distance: number;
  readonly steps: number;
}

export interface ExampleOwner {
  readonly attribute: number;
  readonly mention: number;
  readonly distance: number;
  readonly owns: boolean;
}

/** A relation of a caption in the network's terms. */
export interface LabelledRelation {
  readonly label: string;
  readonly verb: number;
}

/** The label of a relation: with its first word open where a token between or near the mentions is that verb. */
export function labelRelation(
  caption: AlignedCaption,
  { subject, object, predicate }: { readonly subject: number; readonly object: number; readonly predicate: string },
): LabelledRelation {
  const { tokens, mentions } = caption;
  const isForward = subject < object;
  const [a, b] = isForward ? [mentions[subject]!, mentions[object]!] : [mentions[object]!, mentions[subject]!];
  const [word, ...rest] = predicate.split(' ');
  const middle = (a.end + b.start - 1) / 2;
  let verb = -1;
  tokens.forEach((token, t) => {
    if (verbOf(token) === word && (verb < 0 || Math.abs(t - middle) < Math.abs(verb - middle))) verb = t;
  });
  return { label: labelOf(isForward, verb < 0 ? predicate : [VERB, ...rest].join(' ')), verb };
}

/** @returns null where a relation has a label that is too rare */
export function exampleOf(caption: AlignedCaption, labels: RelationLabels): Example | null {
  const { tokens, mentions, attributes, relations } = caption;
  const tags = new Uint8Array(tokens.length);
  for (const { start, end } of attributes) tags.fill(TAG.inAttribute, start, end).fill(TAG.attribute, start, start + 1);
  for (const { start, end } of mentions) tags.fill(TAG.inEntity, start, end).fill(TAG.entity, start, start + 1);
  const pairs: ExamplePair[] = [];
  for (let second = 1; second < mentions.length; second++)
    for (let first = Math.max(0, second - pairReach); first < second; first++) {
      const relation = relations.find(
        ({ subject, object }) =>
          (subject === first && object === second) || (subject === second && object === first),
      );
      const { label, verb } = relation ? labelRelation(caption, relation) : { label: '', verb: -1 };
      const index = labels.names.indexOf(label);
      if (index < 0) return null;
      const distance = distanceOf(mentions[second]!.start - mentions[first]!.end);
      pairs.push({ first, second, label: index, verb, distance, steps: stepsOf(second - first) });
    }
  const owners = attributes.flatMap((attribute, index) =>
    mentions.map((mention, m) => ({
      attribute: index,
      mention: m,
      distance: attributeDistanceOf(mention.start - attribute.end),
      owns: attribute.mentions.includes(m),
    })),
  );
  const verbs = tokens.map((token, t) => (verbOf(token) === undefined ? -1 : t)).filter((t) => t >= 0);
  return { words: tokens, compounds: compoundFlags(tokens), tags, mentions, pairs, attributes, owners, verbs };
}
