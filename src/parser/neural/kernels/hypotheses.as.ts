// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { ownerCount, ownerPlace, ownerScore } from './owners.as';
import { countOf, placeOf } from './spans.as';
import { Plan } from './structs.as';
import { confidenceOf, isSaid, pairCount, pairPlace, placedRow, silence } from './relations.as';

/**
 * What the chance that all of a reading is right counts beside the share of it that is expected to be right. Between 0.2 and
 * 1 it matters little; without it whole captions are seldom right.
 */
const wholeness: f64 = 0.5;

/** Bytes of a row of `readings`: its shares by tags alone and by all, where its pairs and owners begin. */
const readingRow: usize = 24;

/**
 * The reading that is expected to agree best with what is meant, by the F score of mentions, relations and owned attributes,
 * as all readings believe in them: the likeliest one where they differ much, one that keeps to what most of them say where
 * they are about as likely.
 *
 * Source: Kumar & Byrne, "Minimum Bayes-Risk Decoding for Statistical Machine Translation", 2004.
 * @param pairs, owners how many there are of all taggings, each once
 * @returns which tagging; `pairsOf` and `ownersOf` say where its pairs and owners begin
 */
export function choose(plan: Plan, rows: i32, taggings: i32, pairs: i32, owners: i32): i32 {
  place(plan, taggings);
  if (taggings == 1) return 0;
  weigh(plan, taggings);
  const expected = believe(plan, rows, taggings, pairs, owners);
  let best = 0;
  let most: f64 = -1;
  for (let tagging = 0; tagging < taggings; tagging++) {
    const value = agreement(plan, rows, tagging, expected) + wholeness * load<f64>(rowOf(plan, tagging), 8);
    if (value <= most) continue;
    most = value;
    best = tagging;
  }
  return best;
}

export function pairsOf(plan: Plan, tagging: i32): usize {
  return <usize>load<u32>(rowOf(plan, tagging), 16);
}

export function ownersOf(plan: Plan, tagging: i32): usize {
  return <usize>load<u32>(rowOf(plan, tagging), 20);
}

// @ts-ignore: decorator
@inline
function rowOf(plan: Plan, tagging: i32): usize {
  return plan.readings + <usize>tagging * readingRow;
}

/** Fills `readings` with where all begins. */
function place(plan: Plan, taggings: i32): void {
  let pair = plan.placedPairs;
  let owner = plan.placedOwners;
  for (let tagging = 0; tagging < taggings; tagging++) {
    const row = rowOf(plan, tagging);
    store<u32>(row, <u32>pair, 16);
    store<u32>(row, <u32>owner, 20);
    pair += <usize>pairCount(plan, tagging) * placedRow;
    owner += (<usize>ownerCount(plan, tagging)) << 2;
  }
}

/** Fills `readings` with shares. */
function weigh(plan: Plan, taggings: i32): void {
  let most: f64 = -Infinity;
  for (let tagging = 0; tagging < taggings; tagging++) {
    let score = load<f64>(plan.totals + ((<usize>tagging) << 3));
    const pairs = pairsOf(plan, tagging);
    for (let k: usize = 0; k < <usize>pairCount(plan, tagging); k++)
      score += load<f64>(plan.pairScores + ((<usize>pairPlace(pairs + k * placedRow)) << 3));
    const owners = ownersOf(plan, tagging);
    for (let k: usize = 0; k < <usize>ownerCount(plan, tagging); k++)
      score -= Math.log1p(Math.exp(-Math.abs(ownerScore(plan, owners + (k << 2)))));
    store<f64>(rowOf(plan, tagging), score, 8);
    most = max(most, score);
  }
  let byTags: f64 = 0;
  let byAll: f64 = 0;
  for (let tagging = 0; tagging < taggings; tagging++) {
    const row = rowOf(plan, tagging);
    // The first one's tags are the likeliest.
    store<f64>(row, Math.exp(load<f64>(plan.totals + ((<usize>tagging) << 3)) - load<f64>(plan.totals)));
    store<f64>(row, Math.exp(load<f64>(row, 8) - most), 8);
    byTags += load<f64>(row);
    byAll += load<f64>(row, 8);
  }
  for (let tagging = 0; tagging < taggings; tagging++) {
    const row = rowOf(plan, tagging);
    store<f64>(row, load<f64>(row) / byTags);
    store<f64>(row, load<f64>(row, 8) / byAll, 8);
  }
}

/** Fills `mentionBeliefs`, `pairBeliefs` and `ownerBeliefs`. @returns how many facts are meant, as all readings expect */
function believe(plan: Plan, rows: i32, taggings: i32, pairs: i32, owners: i32): f64 {
  memory.fill(plan.mentionBeliefs, 0, (<usize>plan.mentions.count) << 3);
  memory.fill(plan.pairBeliefs, 0, (<usize>pairs) << 3);
  memory.fill(plan.ownerBeliefs, 0, (<usize>owners) << 3);
  let expected: f64 = 0;
  for (let tagging = 0; tagging < taggings; tagging++) {
    const share = load<f64>(rowOf(plan, tagging));
    for (let m = 0; m < countOf(plan.mentions, tagging); m++)
      add(plan.mentionBeliefs, placeOf(plan.mentions, rows, tagging, m), share);
    expected += share * <f64>countOf(plan.mentions, tagging);
    const firstPair = pairsOf(plan, tagging);
    for (let k: usize = 0; k < <usize>pairCount(plan, tagging); k++) {
      const place = pairPlace(firstPair + k * placedRow);
      add(plan.pairBeliefs, place, share * confidenceOf(plan, place));
      expected += share * (1 - silence(plan, place));
    }
    const firstOwner = ownersOf(plan, tagging);
    for (let k: usize = 0; k < <usize>ownerCount(plan, tagging); k++) {
      const at = firstOwner + (k << 2);
      const owned = share / (1 + Math.exp(-ownerScore(plan, at)));
      add(plan.ownerBeliefs, ownerPlace(at), owned);
      expected += owned;
    }
  }
  return expected;
}

// @ts-ignore: decorator
@inline
function add(beliefs: usize, place: i32, belief: f64): void {
  const at = beliefs + ((<usize>place) << 3);
  store<f64>(at, load<f64>(at) + belief);
}

/** The F score that a reading is expected to have. */
function agreement(plan: Plan, rows: i32, tagging: i32, expected: f64): f64 {
  let said = countOf(plan.mentions, tagging);
  let right: f64 = 0;
  for (let m = 0; m < said; m++)
    right += load<f64>(plan.mentionBeliefs + ((<usize>placeOf(plan.mentions, rows, tagging, m)) << 3));
  const pairs = pairsOf(plan, tagging);
  for (let k: usize = 0; k < <usize>pairCount(plan, tagging); k++) {
    const place = pairPlace(pairs + k * placedRow);
    if (!isSaid(plan, place)) continue;
    said++;
    right += load<f64>(plan.pairBeliefs + ((<usize>place) << 3));
  }
  const owners = ownersOf(plan, tagging);
  for (let k: usize = 0; k < <usize>ownerCount(plan, tagging); k++) {
    const at = owners + (k << 2);
    if (ownerScore(plan, at) <= 0) continue;
    said++;
    right += load<f64>(plan.ownerBeliefs + ((<usize>ownerPlace(at)) << 3));
  }
  const facts = <f64>said + expected;
  return facts > 0 ? (2 * right) / facts : 0;
}
