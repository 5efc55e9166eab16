import { tagCount, tagStride } from '../src/parser/neural/network-parameters.js';
import { type CrfScores, tagMayFollow, tagMayStart } from '../src/parser/neural/tag-sequence.js';

const impossible = -1e9;
const alpha = new Float64Array(4096 * tagCount);
const beta = new Float64Array(4096 * tagCount);

/** Fills `alpha` and `beta`. @returns the log-sum-exp over all tag sequences */
function forwardBackward({ tagScores, transitions, starts }: CrfScores, start: number, length: number): number {
  const at = (t: number, tag: number) => tagScores[(start + t) * tagStride + tag]!;
  for (let tag = 0; tag < tagCount; tag++) alpha[tag] = tagMayStart(tag) ? starts[tag]! + at(0, tag) : impossible;
  for (let t = 1; t < length; t++)
    for (let tag = 0; tag < tagCount; tag++) {
      let sum = impossible;
      for (let before = 0; before < tagCount; before++)
        if (tagMayFollow(before, tag))
          sum = logSum(sum, alpha[(t - 1) * tagCount + before]! + transitions[before * tagStride + tag]!);
      alpha[t * tagCount + tag] = sum + at(t, tag);
    }
  const last = (length - 1) * tagCount;
  let total = impossible;
  for (let tag = 0; tag < tagCount; tag++) {
    beta[last + tag] = 0;
    total = logSum(total, alpha[last + tag]!);
  }
  for (let t = length - 2; t >= 0; t--)
    for (let tag = 0; tag < tagCount; tag++) {
      let sum = impossible;
      for (let next = 0; next < tagCount; next++)
        if (tagMayFollow(tag, next))
          sum = logSum(sum, transitions[tag * tagStride + next]! + at(t + 1, next) + beta[(t + 1) * tagCount + next]!);
      beta[t * tagCount + tag] = sum;
    }
  return total;
}

/** Marginal probabilities of a caption's tags, `[words, 5]`, and transitions, `[words, 5, 5]`. */
export interface CrfMarginals {
  readonly tags: Float32Array;
  readonly transitions: Float32Array;
}

/** Computes the marginal probabilities of a caption's tags by the forward-backward algorithm. */
export function crfMarginals(scores: CrfScores, start: number, length: number): CrfMarginals {
  const total = forwardBackward(scores, start, length);
  const tags = new Float32Array(length * tagCount);
  const transitions = new Float32Array(length * tagCount * tagCount);
  for (let t = 0; t < length; t++)
    for (let tag = 0; tag < tagCount; tag++) {
      tags[t * tagCount + tag] = Math.exp(alpha[t * tagCount + tag]! + beta[t * tagCount + tag]! - total);
      for (let before = 0; t > 0 && before < tagCount; before++)
        if (tagMayFollow(before, tag))
          transitions[(t * tagCount + before) * tagCount + tag] = Math.exp(
            alpha[(t - 1) * tagCount + before]! +
              scores.transitions[before * tagStride + tag]! +
              scores.tagScores[(start + t) * tagStride + tag]! +
              beta[t * tagCount + tag]! -
              total,
          );
    }
  return { tags, transitions };
}

/**
 * Returns the negative log-likelihood of a caption's tags under a linear-chain conditional random field and adds its
 * gradients.
 * Source: Lafferty et al., 2001.
 * @param gradient of `scores`, to which the gradients are added
 * @param teacher a teacher's marginals as soft targets, and their weight in [0, 1] against `tags`
 */
export function crfLoss(
  scores: CrfScores,
  start: number,
  tags: Uint8Array,
  gradient: CrfScores,
  teacher?: CrfMarginals & { readonly weight: number },
): number {
  const marginals = crfMarginals(scores, start, tags.length);
  const { tagScores, transitions, starts } = scores;
  let gold = starts[tags[0]!]!;
  const weight = teacher?.weight ?? 0;
  const target = (isGold: boolean, soft = 0) => (isGold ? 1 - weight : 0) + weight * soft;
  for (let t = 0; t < tags.length; t++) {
    gold +=
      tagScores[(start + t) * tagStride + tags[t]!]! + (t > 0 ? transitions[tags[t - 1]! * tagStride + tags[t]!]! : 0);
    for (let tag = 0; tag < tagCount; tag++) {
      const at = t * tagCount + tag;
      const g = marginals.tags[at]! - target(tags[t] === tag, teacher?.tags[at]);
      gradient.tagScores[(start + t) * tagStride + tag]! += g;
      if (t === 0) gradient.starts[tag]! += g;
      for (let before = 0; t > 0 && before < tagCount; before++) {
        const both = (t * tagCount + before) * tagCount + tag;
        const isGold = tags[t - 1] === before && tags[t] === tag;
        gradient.transitions[before * tagStride + tag]! +=
          marginals.transitions[both]! - target(isGold, teacher?.transitions[both]);
      }
    }
  }
  const last = (tags.length - 1) * tagCount;
  let total = impossible;
  for (let tag = 0; tag < tagCount; tag++) total = logSum(total, alpha[last + tag]!);
  return total - gold;
}

/** Returns log(e^a + e^b). */
function logSum(a: number, b: number): number {
  if (a < b) return logSum(b, a);
  return b <= impossible ? a : a + Math.log1p(Math.exp(b - a));
}
