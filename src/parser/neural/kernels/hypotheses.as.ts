// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { ownerCount, ownerIndex, ownerScore } from './owners.as';
import { confidenceOf, isRelated, noneProbability, pairCount } from './relations.as';
import { countOf, indexOf } from './spans.as';
import { Hypothesis, Plan, TaggingPair } from './structs.as';

/**
 * Weight of the probability that a whole hypothesis is right, added to its expected F score. Between 0.2 and 1 it matters
 * little; without it whole graphs are seldom right.
 */
const exactWeight: f64 = 0.5;

/**
 * Minimum Bayes-risk decoding: chooses the hypothesis with the highest expected F score of mentions, relations and owned
 * attributes, where the expectation is over all hypotheses. It is the most likely one if they differ much in probability, and
 * one that agrees with most others if they are about equally likely.
 *
 * Source: Kumar & Byrne, "Minimum Bayes-Risk Decoding for Statistical Machine Translation", 2004.
 * @param pairs, owners numbers of distinct pairs and owners of all taggings
 * @returns the index of its tagging; afterwards `hypothesisAt` has the addresses of its pairs and owners
 */
export function chooseHypothesis(plan: Plan, rows: i32, taggings: i32, pairs: i32, owners: i32): i32 {
  setAddresses(plan, taggings);
  if (taggings == 1) return 0;
  computeShares(plan, taggings);
  const expectedFacts = computePosteriors(plan, rows, taggings, pairs, owners);
  let best = 0;
  let highest: f64 = -1;
  for (let tagging = 0; tagging < taggings; tagging++) {
    const value = expectedF(plan, rows, tagging, expectedFacts) + exactWeight * hypothesisAt(plan, tagging).share;
    if (value <= highest) continue;
    highest = value;
    best = tagging;
  }
  return best;
}

// @ts-ignore: decorator
@inline
export function hypothesisAt(plan: Plan, tagging: i32): Hypothesis {
  return changetype<Hypothesis>(plan.hypotheses + <usize>tagging * offsetof<Hypothesis>());
}

/** Returns the index of the k-th pair from an address in `taggingPairs` on. */
// @ts-ignore: decorator
@inline
function pairIndex(pairs: usize, k: i32): i32 {
  return changetype<TaggingPair>(pairs + <usize>k * offsetof<TaggingPair>()).pair;
}

/** Sets where the pairs and owners of each hypothesis begin. */
function setAddresses(plan: Plan, taggings: i32): void {
  let pairs = plan.taggingPairs;
  let owners = plan.taggingOwners;
  for (let tagging = 0; tagging < taggings; tagging++) {
    const hypothesis = hypothesisAt(plan, tagging);
    hypothesis.pairs = pairs;
    hypothesis.owners = owners;
    pairs += <usize>pairCount(plan, tagging) * offsetof<TaggingPair>();
    owners += (<usize>ownerCount(plan, tagging)) << 2;
  }
}

/** Sets `tagShare` and `share` of each hypothesis. */
function computeShares(plan: Plan, taggings: i32): void {
  let highest: f64 = -Infinity;
  for (let tagging = 0; tagging < taggings; tagging++) {
    let score = load<f64>(plan.tagTotals + ((<usize>tagging) << 3));
    const hypothesis = hypothesisAt(plan, tagging);
    for (let k = 0; k < pairCount(plan, tagging); k++)
      score += load<f64>(plan.pairLogProbabilities + ((<usize>pairIndex(hypothesis.pairs, k)) << 3));
    for (let k: usize = 0; k < <usize>ownerCount(plan, tagging); k++)
      score -= Math.log1p(Math.exp(-Math.abs(ownerScore(plan, hypothesis.owners + (k << 2)))));
    hypothesis.share = score;
    highest = max(highest, score);
  }
  let tagSum: f64 = 0;
  let sum: f64 = 0;
  for (let tagging = 0; tagging < taggings; tagging++) {
    const hypothesis = hypothesisAt(plan, tagging);
    // The first tagging has the highest total.
    hypothesis.tagShare = Math.exp(load<f64>(plan.tagTotals + ((<usize>tagging) << 3)) - load<f64>(plan.tagTotals));
    hypothesis.share = Math.exp(hypothesis.share - highest);
    tagSum += hypothesis.tagShare;
    sum += hypothesis.share;
  }
  for (let tagging = 0; tagging < taggings; tagging++) {
    const hypothesis = hypothesisAt(plan, tagging);
    hypothesis.tagShare /= tagSum;
    hypothesis.share /= sum;
  }
}

/**
 * Fills `mentionPosteriors`, `pairPosteriors` and `ownerPosteriors`.
 * @returns the expected number of facts of the caption
 */
function computePosteriors(plan: Plan, rows: i32, taggings: i32, pairs: i32, owners: i32): f64 {
  memory.fill(plan.mentionPosteriors, 0, (<usize>plan.mentions.count) << 3);
  memory.fill(plan.pairPosteriors, 0, (<usize>pairs) << 3);
  memory.fill(plan.ownerPosteriors, 0, (<usize>owners) << 3);
  let expected: f64 = 0;
  for (let tagging = 0; tagging < taggings; tagging++) {
    const hypothesis = hypothesisAt(plan, tagging);
    const share = hypothesis.tagShare;
    for (let m = 0; m < countOf(plan.mentions, tagging); m++)
      add(plan.mentionPosteriors, indexOf(plan.mentions, rows, tagging, m), share);
    expected += share * <f64>countOf(plan.mentions, tagging);
    for (let k = 0; k < pairCount(plan, tagging); k++) {
      const pair = pairIndex(hypothesis.pairs, k);
      add(plan.pairPosteriors, pair, share * confidenceOf(plan, pair));
      expected += share * (1 - noneProbability(plan, pair));
    }
    for (let k: usize = 0; k < <usize>ownerCount(plan, tagging); k++) {
      const at = hypothesis.owners + (k << 2);
      const probability = share / (1 + Math.exp(-ownerScore(plan, at)));
      add(plan.ownerPosteriors, ownerIndex(at), probability);
      expected += probability;
    }
  }
  return expected;
}

// @ts-ignore: decorator
@inline
function add(posteriors: usize, index: i32, probability: f64): void {
  const at = posteriors + ((<usize>index) << 3);
  store<f64>(at, load<f64>(at) + probability);
}

/** Returns the expected F score of a hypothesis. */
function expectedF(plan: Plan, rows: i32, tagging: i32, expectedFacts: f64): f64 {
  let returned = countOf(plan.mentions, tagging);
  let correct: f64 = 0;
  for (let m = 0; m < countOf(plan.mentions, tagging); m++)
    correct += load<f64>(plan.mentionPosteriors + ((<usize>indexOf(plan.mentions, rows, tagging, m)) << 3));
  const hypothesis = hypothesisAt(plan, tagging);
  for (let k = 0; k < pairCount(plan, tagging); k++) {
    const pair = pairIndex(hypothesis.pairs, k);
    if (!isRelated(plan, pair)) continue;
    returned++;
    correct += load<f64>(plan.pairPosteriors + ((<usize>pair) << 3));
  }
  for (let k: usize = 0; k < <usize>ownerCount(plan, tagging); k++) {
    const at = hypothesis.owners + (k << 2);
    if (ownerScore(plan, at) <= 0) continue;
    returned++;
    correct += load<f64>(plan.ownerPosteriors + ((<usize>ownerIndex(at)) << 3));
  }
  const facts = <f64>returned + expectedFacts;
  return facts > 0 ? (2 * correct) / facts : 0;
}
