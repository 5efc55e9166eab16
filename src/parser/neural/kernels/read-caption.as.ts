// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { chooseHypothesis, hypothesisAt } from './hypotheses.as';
import { linear } from './matrices.as';
import { isNear, ownerScore, scoreOwners } from './owners.as';
import { confidenceOf, isRelated, pairCount, scoreRelations } from './relations.as';
import { clearSpans, countOf, endOf, findSpans, indexOf, startOf } from './spans.as';
import { Matrix, Plan, ResultAttribute, ResultCounts, ResultRelation, Span, TaggingPair } from './structs.as';
import { addSoftEmbeddings, scan, sumWindows } from './vector-rows.as';
import { viterbi } from './viterbi.as';

/**
 * Reads a caption: finds the mentions, attributes and relations of the best of several taggings.
 *
 * `result` is a `ResultCounts`, then a `Span` per mention, a `ResultAttribute` with its owners per attribute and a
 * `ResultRelation` per relation. `confidences`, f64, has one value per relation.
 *
 * @param rows words, at least one; `wordIds`, `compoundFlags` and `fillerFlags` describe them
 * @param hypotheses most taggings that are compared
 * @param margin how far the log-probability of a tagging may be below the best one's, in nats
 */
export function readCaption(plan: Plan, rows: i32, hypotheses: i32, margin: f64): void {
  const mentions = plan.mentions;
  const attributes = plan.attributes;
  scoreWords(plan, rows);
  const taggings = viterbi(
    plan.tagScores,
    plan.transitions,
    plan.starts,
    rows,
    hypotheses,
    margin,
    plan.viterbiScratch,
    plan.tags,
    plan.tagTotals,
  );
  clearSpans(mentions);
  clearSpans(attributes);
  for (let tagging = 0; tagging < taggings; tagging++) {
    const tags = plan.tags + <usize>(tagging * rows);
    findSpans(mentions, tags, rows, tagging, 1);
    findSpans(attributes, tags, rows, tagging, 3);
  }
  const pairs = scoreRelations(plan, rows, taggings);
  const owners = scoreOwners(plan, rows, taggings);
  writeResult(plan, rows, chooseHypothesis(plan, rows, taggings, pairs, owners));
}

/** Computes tag scores, and states for relations that depend on the probable tags. */
function scoreWords(plan: Plan, rows: i32): void {
  const hidden = plan.hidden;
  const scratch = plan.scratch;
  sumWindows(
    rows,
    hidden,
    plan.wordIds,
    plan.contributions,
    plan.windowSize,
    plan.windowBias,
    plan.compounds,
    plan.compoundFlags,
    plan.windowed,
  );
  addContext(plan, plan.contextLayer, rows, plan.windowed, plan.states);
  linear(plan.tagHiddenLayer, rows, plan.states, plan.tagHidden, true, scratch);
  linear(plan.tagsLayer, rows, plan.tagHidden, plan.tagScores, false, scratch);
  addSoftEmbeddings(
    rows,
    hidden,
    plan.tagCount,
    plan.tagScores,
    plan.tagProbabilities,
    plan.tagEmbeddings,
    plan.states,
    plan.taggedStates,
  );
  addContext(plan, plan.relationContextLayer, rows, plan.taggedStates, plan.relationStates);
}

/** y = x + the gated sums over its context. */
function addContext(plan: Plan, layer: Matrix, rows: i32, x: usize, y: usize): void {
  linear(layer, rows, x, plan.gates, false, plan.scratch);
  scan(plan.gates, plan.gatedSums, plan.hidden / 2, rows);
  const bytes = (<usize>(rows * plan.hidden)) << 2;
  for (let k: usize = 0; k < bytes; k += 16)
    v128.store(y + k, f32x4.add(v128.load(x + k), v128.load(plan.gatedSums + k)));
}

/** Writes one tagging with its relations and owners to `result` and `confidences`. */
function writeResult(plan: Plan, rows: i32, tagging: i32): void {
  const mentions = plan.mentions;
  const attributes = plan.attributes;
  const counts = changetype<ResultCounts>(plan.result);
  const mentionCount = countOf(mentions, tagging);
  const attributeCount = countOf(attributes, tagging);
  counts.mentions = mentionCount;
  counts.attributes = attributeCount;
  let to = plan.result + offsetof<ResultCounts>();
  for (let m = 0; m < mentionCount; m++, to += offsetof<Span>()) {
    const index = indexOf(mentions, rows, tagging, m);
    const span = changetype<Span>(to);
    span.start = startOf(mentions, index);
    span.end = endOf(mentions, index);
  }
  const hypothesis = hypothesisAt(plan, tagging);
  let owner = hypothesis.owners;
  for (let a = 0; a < attributeCount; a++) {
    const index = indexOf(attributes, rows, tagging, a);
    const attribute = changetype<ResultAttribute>(to);
    attribute.start = startOf(attributes, index);
    attribute.end = endOf(attributes, index);
    const owners = to + offsetof<ResultAttribute>();
    let count = 0;
    let best = -1;
    let highest: f64 = -Infinity;
    for (let m = 0; m < mentionCount; m++) {
      if (!isNear(plan, index, indexOf(mentions, rows, tagging, m))) continue;
      const score = ownerScore(plan, owner);
      owner += 4;
      if (score > 0) store<i32>(owners + ((<usize>(count++)) << 2), m);
      if (score <= highest) continue;
      highest = score;
      best = m;
    }
    // An attribute without a probable owner belongs to the most probable one.
    if (count == 0 && best >= 0) store<i32>(owners + ((<usize>(count++)) << 2), best);
    attribute.owners = count;
    to = owners + ((<usize>count) << 2);
  }
  let relations = 0;
  let at = hypothesis.pairs;
  for (let k = pairCount(plan, tagging); k > 0; k--, at += offsetof<TaggingPair>()) {
    const pair = changetype<TaggingPair>(at);
    if (!isRelated(plan, pair.pair)) continue;
    const index = (<usize>pair.pair) << 2;
    const relation = changetype<ResultRelation>(to);
    relation.first = pair.first;
    relation.second = pair.second;
    relation.label = load<i32>(plan.pairLabels + index);
    relation.verb = load<i32>(plan.pairVerbs + index);
    relation.preposition = load<i32>(plan.pairPrepositions + index);
    store<f64>(plan.confidences + ((<usize>(relations++)) << 3), confidenceOf(plan, pair.pair));
    to += offsetof<ResultRelation>();
  }
  counts.relations = relations;
}
