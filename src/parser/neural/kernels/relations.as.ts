// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { linear } from './matrices.as';
import { countOf, endOf, placeOf, spanStates, startOf } from './spans.as';
import { Matrix, Plan } from './structs.as';
import { dot, likeliest, pairInputs } from './vector-rows.as';

/** Bytes of a row of `pairRows` and of `placedPairs`. */
const pairRow: usize = 24;
export const placedRow: usize = 12;

/**
 * Relations that are less likely are not told. The expected F score of a whole gains by leaving out what is less likely than
 * half of that score (Lewis, "Evaluating and Optimizing Autonomous Text Classification Systems", 1995), the chance that all is
 * right by leaving out nothing: this is where the one gains and the other hardly loses.
 */
const leastConfidence: f64 = 0.2;

/** What relates the mentions of each tagging: fills `placedPairs` and all that is said of pairs. @returns how many pairs there are */
export function relate(plan: Plan, rows: i32, taggings: i32): i32 {
  const pairs = placePairs(plan, rows, taggings);
  if (pairs == 0) return 0;
  score(plan, pairs);
  likeliest(pairs, plan.labels, plan.labelScores, plan.pairLabels, plan.pairProbabilities);
  // Readings are told apart by them.
  if (taggings > 1) keepSilences(plan, pairs);
  for (let n: usize = 0; n < <usize>pairs; n++)
    store<f64>(plan.pairConfidences + (n << 3), <f64>load<f32>(plan.pairProbabilities + (n << 2)));
  fill(plan, rows, pairs, plan.needsVerb, 1, plan.verbLayer, plan.pairVerbs);
  fill(plan, rows, pairs, plan.needsPreposition, 2, plan.prepositionLayer, plan.pairPrepositions);
  for (let n: usize = 0; n < <usize>pairs; n++) {
    const isFilled = load<i32>(plan.pairVerbs + (n << 2)) > -2 && load<i32>(plan.pairPrepositions + (n << 2)) > -2;
    // A label that the caption has no word for says nothing.
    const likely = isFilled ? load<f64>(plan.pairConfidences + (n << 3)) : <f64>load<f32>(plan.pairProbabilities + (n << 2));
    store<f64>(plan.pairScores + (n << 3), Math.log(likely));
    if (!isFilled) store<i32>(plan.pairLabels + (n << 2), 0);
  }
  return pairs;
}

/** How many pairs of mentions a tagging has. */
// @ts-ignore: decorator
@inline
export function pairCount(plan: Plan, tagging: i32): i32 {
  return load<i32>(plan.placedPairCounts + ((<usize>tagging) << 2));
}

/** Which pair. @param placed address in `placedPairs` */
// @ts-ignore: decorator
@inline
export function pairPlace(placed: usize): i32 {
  return load<i32>(placed);
}

/** How likely what is said of a pair is. */
// @ts-ignore: decorator
@inline
export function confidenceOf(plan: Plan, place: i32): f64 {
  return load<f64>(plan.pairConfidences + ((<usize>place) << 3));
}

/** How likely it is that nothing relates a pair. */
// @ts-ignore: decorator
@inline
export function silence(plan: Plan, place: i32): f64 {
  return <f64>load<f32>(plan.pairSilences + ((<usize>place) << 2));
}

/** Whether a pair is related, and that likely enough to be told. */
// @ts-ignore: decorator
@inline
export function isSaid(plan: Plan, place: i32): bool {
  return load<i32>(plan.pairLabels + ((<usize>place) << 2)) != 0 && confidenceOf(plan, place) >= leastConfidence;
}

/** Fills `pairSilences`, of `pairProbabilities`. */
function keepSilences(plan: Plan, pairs: i32): void {
  for (let n: usize = 0; n < <usize>pairs; n++) {
    const scores = plan.labelScores + ((n * <usize>plan.labels) << 2);
    const label = load<u32>(plan.pairLabels + (n << 2));
    const below = load<f32>(scores) - load<f32>(scores + ((<usize>label) << 2));
    store<f32>(plan.pairSilences + (n << 2), <f32>Math.exp(<f64>below) * load<f32>(plan.pairProbabilities + (n << 2)));
  }
}

/** Fills `pairRows` and `placedPairs`: each pair of mentions once. @returns how many pairs there are */
function placePairs(plan: Plan, rows: i32, taggings: i32): i32 {
  const mentions = plan.mentions;
  const pairReach = plan.pairReach;
  let pairs = 0;
  let placed = plan.placedPairs;
  for (let tagging = 0; tagging < taggings; tagging++) {
    const before = placed;
    const count = countOf(mentions, tagging);
    for (let second = 1; second < count; second++)
      for (let first = max(0, second - pairReach); first < second; first++) {
        const firstPlace = placeOf(mentions, rows, tagging, first);
        const secondPlace = placeOf(mentions, rows, tagging, second);
        // As `stepsOf`, and below `distanceOf`, of parameters.ts.
        const steps = 9 + min(second - first, 6);
        const last = plan.pairRows + <usize>pairs * pairRow;
        let at = tagging > 0 ? plan.pairRows : last;
        while (at < last && !(load<i32>(at) == firstPlace && load<i32>(at, 4) == secondPlace && load<i32>(at, 20) == steps))
          at += pairRow;
        if (at == last) {
          const from = endOf(mentions, firstPlace);
          const to = startOf(mentions, secondPlace);
          store<i32>(at, firstPlace);
          store<i32>(at, secondPlace, 4);
          store<i32>(at, from, 8);
          store<i32>(at, to, 12);
          store<i32>(at, min(to - from, 9), 16);
          store<i32>(at, steps, 20);
          pairs++;
        }
        store<i32>(placed, <i32>((at - plan.pairRows) / pairRow));
        store<i32>(placed, first, 4);
        store<i32>(placed, second, 8);
        placed += placedRow;
      }
    store<i32>(plan.placedPairCounts + ((<usize>tagging) << 2), <i32>((placed - before) / placedRow));
  }
  return pairs;
}

/** Scores of every label for every pair. */
function score(plan: Plan, pairs: i32): void {
  const mentions = plan.mentions;
  const hidden = plan.hidden;
  const pairHidden = plan.pairHidden;
  const scratch = plan.scratch;
  spanStates(mentions, plan.related, hidden, plan.spanStates);
  linear(plan.mentionLayer, mentions.count, plan.spanStates, plan.mentionRoles, false, scratch);
  // Only rows between mentions.
  let start = i32.MAX_VALUE;
  let end = 0;
  for (let n: usize = 0; n < <usize>pairs; n++) {
    start = min(start, load<i32>(plan.pairRows + n * pairRow, 8));
    end = max(end, load<i32>(plan.pairRows + n * pairRow, 12));
  }
  if (end > start)
    linear(
      plan.betweenLayer,
      end - start,
      plan.related + ((<usize>(start * hidden)) << 2),
      plan.between + ((<usize>(start * pairHidden)) << 2),
      false,
      scratch,
    );
  pairInputs(
    pairs,
    pairHidden,
    plan.pairRows,
    plan.mentionRoles,
    plan.between,
    plan.distances,
    plan.pairBias,
    plan.emptyBetween,
    plan.pairMost,
    plan.pairIn,
  );
  linear(plan.pairLayer, pairs, plan.pairIn, plan.pairStates, true, scratch);
  linear(plan.labelLayer, pairs, plan.pairStates, plan.labelScores, false, scratch);
}

/**
 * The words that fill the labels of pairs, and how likely they are, multiplied into the pairs' confidences.
 * @param isNeeded by label; kind the bit of `fillings` of words that may
 * @param places by pair: -1 where none is needed, -2 where none might
 */
function fill(plan: Plan, rows: i32, pairs: i32, isNeeded: usize, kind: u8, layer: Matrix, places: usize): void {
  const hidden = plan.hidden;
  const pairHidden = plan.pairHidden;
  const slotScale = plan.slotScale;
  let first = pairs;
  let last = -1;
  for (let n = 0; n < pairs; n++) {
    store<i32>(places + ((<usize>n) << 2), -1);
    if (!load<u8>(isNeeded + <usize>load<u32>(plan.pairLabels + ((<usize>n) << 2)))) continue;
    first = min(first, n);
    last = n;
  }
  if (last < 0) return;
  const from = plan.pairStates + ((<usize>(first * pairHidden)) << 2);
  linear(layer, last + 1 - first, from, plan.queries, false, plan.scratch);
  for (let n = first; n <= last; n++) {
    const at = (<usize>n) << 2;
    if (!load<u8>(isNeeded + <usize>load<u32>(plan.pairLabels + at))) continue;
    const query = plan.queries + ((<usize>((n - first) * hidden)) << 2);
    let place = -2;
    let best: f64 = 0;
    // The softmax's sum, kept up with the best score so far.
    let sum: f64 = 0;
    for (let t = 0; t < rows; t++) {
      if (!(load<u8>(plan.fillings + <usize>t) & kind)) continue;
      const fits: f64 = <f64>(dot(query, plan.related + ((<usize>(t * hidden)) << 2), hidden) * slotScale);
      if (place < 0 || fits > best) {
        sum = place < 0 ? 1 : sum * Math.exp(best - fits) + 1;
        best = fits;
        place = t;
      } else sum += Math.exp(fits - best);
    }
    store<i32>(places + at, place);
    if (place >= 0) {
      const confidence = plan.pairConfidences + ((<usize>n) << 3);
      store<f64>(confidence, load<f64>(confidence) / sum);
    }
  }
}
