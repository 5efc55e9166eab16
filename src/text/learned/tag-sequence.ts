import { tagCount, tagStride } from './network.js';

export const TAG = { outside: 0, entity: 1, inEntity: 2, attribute: 3, inAttribute: 4 } as const;

/** A phrase goes on only where one of its kind has begun. */
export const mayFollow = (before: number, tag: number): boolean =>
  tag === TAG.inEntity
    ? before === TAG.entity || before === TAG.inEntity
    : tag === TAG.inAttribute
      ? before === TAG.attribute || before === TAG.inAttribute
      : true;
export const mayStart = (tag: number): boolean => tag !== TAG.inEntity && tag !== TAG.inAttribute;

/** Scores of a linear-chain conditional random field. */
export interface ChainScores {
  /** `[rows, 8]`, of which 5 count. */
  readonly tagScores: Float32Array;
  /** `[8, 8]`: from a tag, to a tag. */
  readonly transitions: Float32Array;
  readonly starts: Float32Array;
}

/**
 * The likeliest tags of a caption (Viterbi).
 * @param start row of its first token
 */
export function likeliestTags(
  { tagScores, transitions, starts }: ChainScores,
  start: number,
  length: number,
): Uint8Array {
  const tags = new Uint8Array(length);
  if (length === 0) return tags;
  let scores = new Float64Array(tagCount).fill(Number.NEGATIVE_INFINITY);
  for (let tag = 0; tag < tagCount; tag++)
    if (mayStart(tag)) scores[tag] = starts[tag]! + tagScores[start * tagStride + tag]!;
  const back = new Uint8Array(length * tagCount);
  for (let t = 1; t < length; t++) {
    const next = new Float64Array(tagCount).fill(Number.NEGATIVE_INFINITY);
    for (let tag = 0; tag < tagCount; tag++) {
      for (let before = 0; before < tagCount; before++) {
        if (!mayFollow(before, tag)) continue;
        const score = scores[before]! + transitions[before * tagStride + tag]!;
        if (score <= next[tag]!) continue;
        next[tag] = score;
        back[t * tagCount + tag] = before;
      }
      next[tag]! += tagScores[(start + t) * tagStride + tag]!;
    }
    scores = next;
  }
  let best = 0;
  for (let tag = 1; tag < tagCount; tag++) if (scores[tag]! > scores[best]!) best = tag;
  for (let t = length - 1; t >= 0; t--) {
    tags[t] = best;
    best = back[t * tagCount + best]!;
  }
  return tags;
}

/** A phrase of a tag sequence. */
export interface TaggedSpan {
  readonly kind: 'entity' | 'attribute';
  readonly start: number;
  readonly end: number;
}

export function taggedSpans(tags: Uint8Array): TaggedSpan[] {
  const spans: TaggedSpan[] = [];
  for (let start = 0; start < tags.length; start++) {
    const tag = tags[start]!;
    if (tag !== TAG.entity && tag !== TAG.attribute) continue;
    let end = start + 1;
    while (end < tags.length && tags[end] === tag + 1) end++;
    spans.push({ kind: tag === TAG.entity ? 'entity' : 'attribute', start, end });
  }
  return spans;
}
