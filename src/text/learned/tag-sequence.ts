import { tagCount, tagStride } from './parameters.js';

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

/** How many tag sequences are wanted, and how much less likely than the best they may be, in nats. */
export interface Choice {
  readonly count: number;
  readonly reach: number;
}

/**
 * The likeliest tag sequences of a caption, the best first. Most captions have one in reach, which the best way through each
 * tag of each token shows at once; for the others several ways are kept at each tag (Viterbi).
 * @param start row of its first token
 */
export function likeliestTags(chain: ChainScores, start: number, length: number, choice: Choice): TagSequence[] {
  if (length === 0) return [{ tags: new Uint8Array(0), score: 0 }];
  const ways = new BestWays(chain, start, length);
  const best = { tags: ways.tags(), score: ways.score };
  if (choice.count === 1 || !ways.hasAnother(choice.reach)) return [best];
  return severalTags(chain, start, length, choice.count).filter(({ score }) => score >= best.score - choice.reach);
}

/** The best score of all sequences that start, or end, with a tag at a token. */
class BestWays {
  readonly score: number;
  readonly #length: number;
  readonly #before: Float64Array;
  readonly #after: Float64Array;
  /** `[tokens, tags]`: the tag before on the best way to a tag. */
  readonly #back: Uint8Array;
  readonly #last: number;

  constructor({ tagScores, transitions, starts }: ChainScores, start: number, length: number) {
    const before = new Float64Array(length * tagCount);
    const after = new Float64Array(length * tagCount);
    const back = new Uint8Array(length * tagCount);
    for (let tag = 0; tag < tagCount; tag++)
      before[tag] = mayStart(tag) ? starts[tag]! + tagScores[start * tagStride + tag]! : Number.NEGATIVE_INFINITY;
    for (let t = 1; t < length; t++)
      for (let tag = 0; tag < tagCount; tag++) {
        let best = Number.NEGATIVE_INFINITY;
        for (const last of allowed[tag]!) {
          const score = before[(t - 1) * tagCount + last]! + transitions[last * tagStride + tag]!;
          if (score <= best) continue;
          best = score;
          back[t * tagCount + tag] = last;
        }
        before[t * tagCount + tag] = best + tagScores[(start + t) * tagStride + tag]!;
      }
    for (let t = length - 2; t >= 0; t--) {
      after.fill(Number.NEGATIVE_INFINITY, t * tagCount, (t + 1) * tagCount);
      for (let tag = 0; tag < tagCount; tag++) {
        const rest = tagScores[(start + t + 1) * tagStride + tag]! + after[(t + 1) * tagCount + tag]!;
        for (const last of allowed[tag]!) {
          const score = transitions[last * tagStride + tag]! + rest;
          if (score > after[t * tagCount + last]!) after[t * tagCount + last] = score;
        }
      }
    }
    this.#length = length;
    this.#before = before;
    this.#after = after;
    this.#back = back;
    let last = 0;
    const end = (length - 1) * tagCount;
    for (let tag = 1; tag < tagCount; tag++) if (before[end + tag]! > before[end + last]!) last = tag;
    this.#last = last;
    this.score = before[end + last]!;
  }

  /** Of the best sequence. */
  tags(): Uint8Array {
    const tags = new Uint8Array(this.#length);
    for (let t = this.#length - 1, tag = this.#last; t >= 0; tag = this.#back[t * tagCount + tag]!, t--) tags[t] = tag;
    return tags;
  }

  /** Whether another sequence scores nearly as well. */
  hasAnother(reach: number): boolean {
    let ways = 0;
    for (let at = 0; at < this.#length * tagCount; at++)
      if (this.#before[at]! + this.#after[at]! >= this.score - reach) ways++;
    return ways > this.#length;
  }
}

/** By tag: what may stand before it. */
const allowed: readonly (readonly number[])[] = Array.from({ length: tagCount }, (_, tag) =>
  Array.from({ length: tagCount }, (_, before) => before).filter((before) => mayFollow(before, tag)),
);

function severalTags({ tagScores, transitions, starts }: ChainScores, start: number, length: number, count: number) {
  const step = tagCount * count;
  /** `[tokens, tags, ways]`: the best ways to end at a tag, the best first, and which way of the token before each goes on. */
  const scores = new Float64Array(length * step).fill(Number.NEGATIVE_INFINITY);
  const back = new Uint8Array(length * step);
  for (let tag = 0; tag < tagCount; tag++)
    if (mayStart(tag)) scores[tag * count] = starts[tag]! + tagScores[start * tagStride + tag]!;
  for (let t = 1; t < length; t++)
    for (let tag = 0; tag < tagCount; tag++) {
      const to = t * step + tag * count;
      const own = tagScores[(start + t) * tagStride + tag]!;
      for (const before of allowed[tag]!) {
        const more = transitions[before * tagStride + tag]! + own;
        const from = (t - 1) * step + before * count;
        for (let way = 0; way < count; way++) {
          const score = scores[from + way]! + more;
          if (!(score > scores[to + count - 1]!)) break;
          insert(scores, back, to, count, score, before * count + way);
        }
      }
    }
  const last = (length - 1) * step;
  return Array.from({ length: step }, (_, way) => way)
    .filter((way) => scores[last + way]! > Number.NEGATIVE_INFINITY)
    .sort((a, b) => scores[last + b]! - scores[last + a]!)
    .slice(0, count)
    .map((end) => {
      const tags = new Uint8Array(length);
      for (let t = length - 1, way = end; t >= 0; way = back[t * step + way]!, t--) tags[t] = Math.floor(way / count);
      return { tags, score: scores[last + end]! };
    });
}

/** Puts a way among the best of a tag, after its equals. */
function insert(scores: Float64Array, back: Uint8Array, to: number, count: number, score: number, way: number): void {
  let at = to + count - 1;
  for (; at > to && scores[at - 1]! < score; at--) {
    scores[at] = scores[at - 1]!;
    back[at] = back[at - 1]!;
  }
  scores[at] = score;
  back[at] = way;
}

/** A phrase of a tag sequence. */
export interface TaggedSpan {
  readonly kind: 'entity' | 'attribute';
  readonly start: number;
  readonly end: number;
}

function taggedSpans(tags: Uint8Array): TaggedSpan[] {
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

/** Phrases of one tag sequence. */
export interface Phrases {
  readonly mentions: readonly TaggedSpan[];
  readonly attributes: readonly TaggedSpan[];
}

export function phrasesOf(tags: Uint8Array): Phrases {
  const spans = taggedSpans(tags);
  return {
    mentions: spans.filter(({ kind }) => kind === 'entity'),
    attributes: spans.filter(({ kind }) => kind === 'attribute'),
  };
}
