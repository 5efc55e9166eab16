// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { linear } from './matrices.as';
import { countOf, endOf, indexOf, spanStates, startOf } from './spans.as';
import { Matrix, Pair, Plan, TaggingPair } from './structs.as';
import { argmaxRows, dot, pairInputs } from './vector-rows.as';

/**
 * Least confidence of a relation in the result. Leaving out what is less likely than half of the expected F score raises that
 * score (Lewis, "Evaluating and Optimizing Autonomous Text Classification Systems", 1995), while leaving out nothing maximizes
 * the chance that the whole graph is right. At this value the first gains and the second hardly loses.
 */
const minConfidence: f64 = 0.2;

/** Marks a label in `pairVerbs` and `pairPrepositions` that needs no word, or for which the caption has none. */
const noFillerNeeded: i32 = -1;
const noFillerFound: i32 = -2;

/**
 * Scores the relations between the mentions of each tagging: fills `taggingPairs`, `taggingPairCounts` and every array by
 * pair.
 * @returns the number of pairs
 */
export function scoreRelations(plan: Plan, rows: i32, taggings: i32): i32 {
  const pairs = collectPairs(plan, rows, taggings);
  if (pairs == 0) return 0;
  scoreLabels(plan, pairs);
  argmaxRows(pairs, plan.labels, plan.labelScores, plan.pairLabels, plan.pairProbabilities);
  // Only the choice between hypotheses needs them.
  if (taggings > 1) fillNoneProbabilities(plan, pairs);
  for (let n: usize = 0; n < <usize>pairs; n++)
    store<f64>(plan.pairConfidences + (n << 3), <f64>load<f32>(plan.pairProbabilities + (n << 2)));
  findFillers(plan, rows, pairs, plan.needsVerb, 1, plan.verbLayer, plan.pairVerbs);
  findFillers(plan, rows, pairs, plan.needsPreposition, 2, plan.prepositionLayer, plan.pairPrepositions);
  for (let n: usize = 0; n < <usize>pairs; n++) {
    const isFilled =
      load<i32>(plan.pairVerbs + (n << 2)) != noFillerFound && load<i32>(plan.pairPrepositions + (n << 2)) != noFillerFound;
    // A label whose words the caption lacks counts as no relation.
    const probability = isFilled
      ? load<f64>(plan.pairConfidences + (n << 3))
      : <f64>load<f32>(plan.pairProbabilities + (n << 2));
    store<f64>(plan.pairLogProbabilities + (n << 3), Math.log(probability));
    if (!isFilled) store<i32>(plan.pairLabels + (n << 2), 0);
  }
  return pairs;
}

/** Returns the number of pairs of a tagging. */
// @ts-ignore: decorator
@inline
export function pairCount(plan: Plan, tagging: i32): i32 {
  return load<i32>(plan.taggingPairCounts + ((<usize>tagging) << 2));
}

/** Returns the probability of a pair's label and fillers. */
// @ts-ignore: decorator
@inline
export function confidenceOf(plan: Plan, pair: i32): f64 {
  return load<f64>(plan.pairConfidences + ((<usize>pair) << 3));
}

/** Returns the probability that a pair has no relation. */
// @ts-ignore: decorator
@inline
export function noneProbability(plan: Plan, pair: i32): f64 {
  return <f64>load<f32>(plan.pairNoneProbabilities + ((<usize>pair) << 2));
}

/** Whether the result has a relation of the pair. */
// @ts-ignore: decorator
@inline
export function isRelated(plan: Plan, pair: i32): bool {
  return load<i32>(plan.pairLabels + ((<usize>pair) << 2)) != 0 && confidenceOf(plan, pair) >= minConfidence;
}

// @ts-ignore: decorator
@inline
function pairAt(plan: Plan, index: i32): Pair {
  return changetype<Pair>(plan.pairs + <usize>index * offsetof<Pair>());
}

/** Fills `pairNoneProbabilities` from `pairProbabilities`. */
function fillNoneProbabilities(plan: Plan, pairs: i32): void {
  for (let n: usize = 0; n < <usize>pairs; n++) {
    const scores = plan.labelScores + ((n * <usize>plan.labels) << 2);
    const label = load<u32>(plan.pairLabels + (n << 2));
    const below = load<f32>(scores) - load<f32>(scores + ((<usize>label) << 2));
    store<f32>(
      plan.pairNoneProbabilities + (n << 2),
      <f32>Math.exp(<f64>below) * load<f32>(plan.pairProbabilities + (n << 2)),
    );
  }
}

/** Fills `pairs`, each pair of mentions once, and `taggingPairs`. @returns the number of pairs */
function collectPairs(plan: Plan, rows: i32, taggings: i32): i32 {
  const mentions = plan.mentions;
  const maxPairSteps = plan.maxPairSteps;
  let pairs = 0;
  let to = plan.taggingPairs;
  for (let tagging = 0; tagging < taggings; tagging++) {
    const start = to;
    const count = countOf(mentions, tagging);
    for (let second = 1; second < count; second++)
      for (let first = max(0, second - maxPairSteps); first < second; first++) {
        const firstIndex = indexOf(mentions, rows, tagging, first);
        const secondIndex = indexOf(mentions, rows, tagging, second);
        // As `stepRow`, and below `distanceRow`, in network-parameters.ts.
        const steps = 9 + min(second - first, 6);
        let index = tagging > 0 ? 0 : pairs;
        for (; index < pairs; index++) {
          const known = pairAt(plan, index);
          if (known.first == firstIndex && known.second == secondIndex && known.steps == steps) break;
        }
        if (index == pairs) {
          const pair = pairAt(plan, pairs++);
          pair.first = firstIndex;
          pair.second = secondIndex;
          pair.from = endOf(mentions, firstIndex);
          pair.to = startOf(mentions, secondIndex);
          pair.distance = min(pair.to - pair.from, 9);
          pair.steps = steps;
        }
        const tagged = changetype<TaggingPair>(to);
        tagged.pair = index;
        tagged.first = first;
        tagged.second = second;
        to += offsetof<TaggingPair>();
      }
    store<i32>(plan.taggingPairCounts + ((<usize>tagging) << 2), <i32>((to - start) / offsetof<TaggingPair>()));
  }
  return pairs;
}

/** Fills `labelScores`: the score of every label for every pair. */
function scoreLabels(plan: Plan, pairs: i32): void {
  const mentions = plan.mentions;
  const hidden = plan.hidden;
  const pairHidden = plan.pairHidden;
  const scratch = plan.scratch;
  spanStates(mentions, plan.relationStates, hidden, plan.spanStates);
  linear(plan.mentionLayer, mentions.count, plan.spanStates, plan.mentionRoles, false, scratch);
  // Only rows between two mentions are needed.
  let start = i32.MAX_VALUE;
  let end = 0;
  for (let n = 0; n < pairs; n++) {
    const pair = pairAt(plan, n);
    start = min(start, pair.from);
    end = max(end, pair.to);
  }
  if (end > start)
    linear(
      plan.betweenLayer,
      end - start,
      plan.relationStates + ((<usize>(start * hidden)) << 2),
      plan.between + ((<usize>(start * pairHidden)) << 2),
      false,
      scratch,
    );
  pairInputs(
    pairs,
    pairHidden,
    plan.pairs,
    plan.mentionRoles,
    plan.between,
    plan.distances,
    plan.pairBias,
    plan.emptyBetween,
    plan.pairMax,
    plan.pairIn,
  );
  linear(plan.pairLayer, pairs, plan.pairIn, plan.pairStates, true, scratch);
  linear(plan.labelsLayer, pairs, plan.pairStates, plan.labelScores, false, scratch);
}

/**
 * Finds the most likely words for the open slots of labels and multiplies the pairs' confidences by their probabilities.
 * @param isNeeded `[labels]` u8; kind the bit of `fillerFlags` that a word must have
 * @param fillers `[pairs]` i32: set to a row, `noFillerNeeded` or `noFillerFound`
 */
function findFillers(plan: Plan, rows: i32, pairs: i32, isNeeded: usize, kind: u8, layer: Matrix, fillers: usize): void {
  const hidden = plan.hidden;
  const slotScale = plan.slotScale;
  let candidates = 0;
  let only = noFillerFound;
  for (let t = 0; t < rows; t++) {
    if (!(load<u8>(plan.fillerFlags + <usize>t) & kind)) continue;
    candidates++;
    only = t;
  }
  // The pairs' inputs are not needed any more: their place takes the states of the pairs with an open slot.
  const bytes = (<usize>plan.pairHidden) << 2;
  let slots = 0;
  for (let n = 0; n < pairs; n++) {
    const hasSlot = load<u8>(isNeeded + <usize>load<u32>(plan.pairLabels + ((<usize>n) << 2)));
    store<i32>(fillers + ((<usize>n) << 2), hasSlot ? only : noFillerNeeded);
    if (!hasSlot || candidates < 2) continue;
    memory.copy(plan.pairIn + <usize>slots * bytes, plan.pairStates + <usize>n * bytes, bytes);
    slots++;
  }
  // A single word has the probability 1.
  if (slots == 0) return;
  linear(layer, slots, plan.pairIn, plan.queries, false, plan.scratch);
  let query = plan.queries;
  for (let n = 0; n < pairs; n++) {
    const at = (<usize>n) << 2;
    if (load<i32>(fillers + at) == noFillerNeeded) continue;
    let filler = noFillerFound;
    let best: f64 = 0;
    // The denominator of the softmax, relative to the best score so far.
    let sum: f64 = 0;
    for (let t = 0; t < rows; t++) {
      if (!(load<u8>(plan.fillerFlags + <usize>t) & kind)) continue;
      const score: f64 = <f64>(dot(query, plan.relationStates + ((<usize>(t * hidden)) << 2), hidden) * slotScale);
      if (filler < 0 || score > best) {
        sum = filler < 0 ? 1 : sum * Math.exp(best - score) + 1;
        best = score;
        filler = t;
      } else sum += Math.exp(score - best);
    }
    query += (<usize>hidden) << 2;
    store<i32>(fillers + at, filler);
    const confidence = plan.pairConfidences + ((<usize>n) << 3);
    store<f64>(confidence, load<f64>(confidence) / sum);
  }
}
