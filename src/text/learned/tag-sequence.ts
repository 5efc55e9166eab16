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

/** Tags of a caption, and the logarithm of how likely they are, up to a constant of the caption. */
export interface TagSequence {
  readonly tags: Uint8Array;
  readonly score: number;
}

/** The best ways to end at a tag: by score, from which tag and which of its ways. */
interface Way {
  readonly score: number;
  readonly tag: number;
  readonly before: Way | null;
}

/**
 * The likeliest tag sequences of a caption, the best first (Viterbi with several ways kept at each tag).
 * @param start row of its first token
 * @param count how many at most
 */
export function likeliestTags(
  { tagScores, transitions, starts }: ChainScores,
  start: number,
  length: number,
  count: number,
): TagSequence[] {
  if (length === 0) return [{ tags: new Uint8Array(0), score: 0 }];
  let ways: Way[][] = Array.from({ length: tagCount }, (_, tag) =>
    mayStart(tag) ? [{ score: starts[tag]! + tagScores[start * tagStride + tag]!, tag, before: null }] : [],
  );
  for (let t = 1; t < length; t++) {
    const row = (start + t) * tagStride;
    ways = Array.from({ length: tagCount }, (_, tag) => {
      const found: Way[] = [];
      for (let before = 0; before < tagCount; before++) {
        if (!mayFollow(before, tag)) continue;
        const step = transitions[before * tagStride + tag]! + tagScores[row + tag]!;
        for (const way of ways[before]!) insert(found, way.score + step, tag, way, count);
      }
      return found;
    });
  }
  return ways
    .flat()
    .sort((a, b) => b.score - a.score)
    .slice(0, count)
    .map((way) => ({ tags: tagsOf(way, length), score: way.score }));
}

/** Keeps the best `count` ways, the first of equals. */
function insert(ways: Way[], score: number, tag: number, before: Way, count: number): void {
  let at = ways.length;
  while (at > 0 && ways[at - 1]!.score < score) at--;
  if (at >= count) return;
  ways.splice(at, 0, { score, tag, before });
  if (ways.length > count) ways.pop();
}

function tagsOf(way: Way, length: number): Uint8Array {
  const tags = new Uint8Array(length);
  let at: Way | null = way;
  for (let t = length - 1; t >= 0; t--) {
    tags[t] = at!.tag;
    at = at!.before;
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
