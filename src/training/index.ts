// Entry point `relflow/training`: losses, and how queries are matched with targets. The loop is an issue of its own.
export { focalLoss, qualityFocalLoss } from './focal-loss.js';
export { assign } from './hungarian.js';
export {
  type LossOptions,
  type LossTerms,
  type LossWeights,
  officialWeights,
  pairLosses,
  totalLoss,
} from './losses.js';
export { type MatchCosts, matchPairs, officialCosts } from './match-pairs.js';
export { pseudoLabels } from './pseudo-labels.js';
export type { Matches, PairTargets } from './targets.js';
