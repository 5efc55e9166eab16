import { tagCount, tagStride } from '../learned/network.js';
import { type ChainScores, mayFollow, mayStart } from '../learned/tag-sequence.js';

const never = -1e9;
const alpha = new Float64Array(4096 * tagCount);
const beta = new Float64Array(4096 * tagCount);

/**
 * Negative log-likelihood of a caption's tags under a linear-chain conditional random field; adds its gradients.
 * Source: Lafferty et al., 2001; the forward-backward algorithm.
 * @param gradient as `scores`, added to
 */
export function chainLoss(
  { tagScores, transitions, starts }: ChainScores,
  start: number,
  tags: Uint8Array,
  gradient: ChainScores,
): number {
  const length = tags.length;
  const at = (t: number, tag: number) => tagScores[(start + t) * tagStride + tag]!;
  for (let tag = 0; tag < tagCount; tag++) alpha[tag] = mayStart(tag) ? starts[tag]! + at(0, tag) : never;
  for (let t = 1; t < length; t++)
    for (let tag = 0; tag < tagCount; tag++) {
      let sum = never;
      for (let before = 0; before < tagCount; before++)
        if (mayFollow(before, tag))
          sum = logSum(sum, alpha[(t - 1) * tagCount + before]! + transitions[before * tagStride + tag]!);
      alpha[t * tagCount + tag] = sum + at(t, tag);
    }
  const last = (length - 1) * tagCount;
  let total = never;
  for (let tag = 0; tag < tagCount; tag++) {
    beta[last + tag] = 0;
    total = logSum(total, alpha[last + tag]!);
  }
  for (let t = length - 2; t >= 0; t--)
    for (let tag = 0; tag < tagCount; tag++) {
      let sum = never;
      for (let next = 0; next < tagCount; next++)
        if (mayFollow(tag, next))
          sum = logSum(sum, transitions[tag * tagStride + next]! + at(t + 1, next) + beta[(t + 1) * tagCount + next]!);
      beta[t * tagCount + tag] = sum;
    }
  let gold = starts[tags[0]!]!;
  for (let t = 0; t < length; t++) {
    gold += at(t, tags[t]!) + (t > 0 ? transitions[tags[t - 1]! * tagStride + tags[t]!]! : 0);
    for (let tag = 0; tag < tagCount; tag++) {
      const p = Math.exp(alpha[t * tagCount + tag]! + beta[t * tagCount + tag]! - total);
      const g = p - (tags[t] === tag ? 1 : 0);
      gradient.tagScores[(start + t) * tagStride + tag]! += g;
      if (t === 0) gradient.starts[tag]! += g;
      else
        for (let before = 0; before < tagCount; before++) {
          if (!mayFollow(before, tag)) continue;
          const both = Math.exp(
            alpha[(t - 1) * tagCount + before]! +
              transitions[before * tagStride + tag]! +
              at(t, tag) +
              beta[t * tagCount + tag]! -
              total,
          );
          const isGold = tags[t - 1] === before && tags[t] === tag;
          gradient.transitions[before * tagStride + tag]! += both - (isGold ? 1 : 0);
        }
    }
  }
  return total - gold;
}

function logSum(a: number, b: number): number {
  if (a < b) return logSum(b, a);
  return b <= never ? a : a + Math.log1p(Math.exp(b - a));
}
