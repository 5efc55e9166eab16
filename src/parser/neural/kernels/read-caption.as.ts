// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { linear } from './matrices.as';
import { isNear, own, ownerScore } from './owners.as';
import { clearSpans, countOf, endOf, findSpans, placeOf, startOf } from './spans.as';
import { Matrix, Plan } from './structs.as';
import { choose, ownersOf, pairsOf } from './hypotheses.as';
import { confidenceOf, isSaid, pairCount, pairPlace, placedRow, relate } from './relations.as';
import { addExpected, scan, windows } from './vector-rows.as';
import { likeliestTags } from './viterbi.as';

/**
 * Reads a caption: its words → mentions, attributes and relations of one of several taggings.
 *
 * `found`, 32 bits each: how many mentions, attributes and relations; first word and the one after the last of each
 * mention; the same of each attribute, how many mentions it is said of, and which; first and second mention, label, verb and
 * preposition of each relation. `confidences`, 64-bit floats: of each relation.
 *
 * @param rows words, at least one; what is said of them lies in `slots`, `compoundFlags` and `fillings`
 * @param readings how many taggings are looked at; reach how much less likely than the best they may be, in nats
 */
export function read(plan: Plan, rows: i32, readings: i32, reach: f64): void {
  const mentions = plan.mentions;
  const attributes = plan.attributes;
  readWords(plan, rows);
  const taggings = likeliestTags(
    plan.tagScores,
    plan.transitions,
    plan.starts,
    rows,
    readings,
    reach,
    plan.tagWork,
    plan.tags,
    plan.totals,
  );
  clearSpans(mentions);
  clearSpans(attributes);
  for (let tagging = 0; tagging < taggings; tagging++) {
    const tags = plan.tags + <usize>(tagging * rows);
    findSpans(mentions, tags, rows, tagging, 1);
    findSpans(attributes, tags, rows, tagging, 3);
  }
  const pairs = relate(plan, rows, taggings);
  const owners = own(plan, rows, taggings);
  tell(plan, rows, choose(plan, rows, taggings, pairs, owners));
}

/** Words → tag scores, and states that know of the likely tags. */
function readWords(plan: Plan, rows: i32): void {
  const hidden = plan.hidden;
  const scratch = plan.scratch;
  windows(
    rows,
    hidden,
    plan.slots,
    plan.given,
    plan.windowSize,
    plan.windowBias,
    plan.compounds,
    plan.compoundFlags,
    plan.windowed,
  );
  tellContext(plan, plan.contextLayer, rows, plan.windowed, plan.state);
  linear(plan.tagHiddenLayer, rows, plan.state, plan.tagHidden, true, scratch);
  linear(plan.tagLayer, rows, plan.tagHidden, plan.tagScores, false, scratch);
  addExpected(rows, hidden, plan.tagCount, plan.tagScores, plan.tagBeliefs, plan.tagStates, plan.state, plan.relateIn);
  tellContext(plan, plan.relateLayer, rows, plan.relateIn, plan.related);
}

/** y = x + what the context tells. */
function tellContext(plan: Plan, layer: Matrix, rows: i32, x: usize, y: usize): void {
  linear(layer, rows, x, plan.gates, false, plan.scratch);
  scan(plan.gates, plan.sums, plan.hidden / 2, rows);
  const bytes = (<usize>(rows * plan.hidden)) << 2;
  for (let k: usize = 0; k < bytes; k += 16)
    v128.store(y + k, f32x4.add(v128.load(x + k), v128.load(plan.sums + k)));
}

/** Fills `found` and `confidences` with one of the readings. */
function tell(plan: Plan, rows: i32, best: i32): void {
  const mentions = plan.mentions;
  const attributes = plan.attributes;
  const found = plan.found;
  const mentionCount = countOf(mentions, best);
  const attributeCount = countOf(attributes, best);
  store<i32>(found, mentionCount);
  store<i32>(found, attributeCount, 4);
  let to = found + 12;
  for (let m = 0; m < mentionCount; m++, to += 8) {
    const place = placeOf(mentions, rows, best, m);
    store<i32>(to, startOf(mentions, place));
    store<i32>(to, endOf(mentions, place), 4);
  }
  let owner = ownersOf(plan, best);
  for (let a = 0; a < attributeCount; a++) {
    const place = placeOf(attributes, rows, best, a);
    store<i32>(to, startOf(attributes, place));
    store<i32>(to, endOf(attributes, place), 4);
    let count = 0;
    let likeliest = -1;
    let highest: f64 = -Infinity;
    for (let m = 0; m < mentionCount; m++) {
      if (!isNear(plan, place, placeOf(mentions, rows, best, m))) continue;
      const score = ownerScore(plan, owner);
      owner += 4;
      if (score > 0) store<i32>(to + 12 + ((<usize>(count++)) << 2), m);
      if (score <= highest) continue;
      highest = score;
      likeliest = m;
    }
    // An attribute is said of something, even if of nothing surely.
    if (count == 0 && likeliest >= 0) store<i32>(to + 12 + ((<usize>(count++)) << 2), likeliest);
    store<i32>(to, count, 8);
    to += 12 + ((<usize>count) << 2);
  }
  let relations = 0;
  let pair = pairsOf(plan, best);
  for (let k = pairCount(plan, best); k > 0; k--, pair += placedRow) {
    const place = pairPlace(pair);
    if (!isSaid(plan, place)) continue;
    const index = (<usize>place) << 2;
    store<i32>(to, load<i32>(pair, 4));
    store<i32>(to, load<i32>(pair, 8), 4);
    store<i32>(to, load<i32>(plan.pairLabels + index), 8);
    store<i32>(to, load<i32>(plan.pairVerbs + index), 12);
    store<i32>(to, load<i32>(plan.pairPrepositions + index), 16);
    store<f64>(plan.confidences + ((<usize>(relations++)) << 3), confidenceOf(plan, place));
    to += 20;
  }
  store<i32>(found, relations, 8);
}
