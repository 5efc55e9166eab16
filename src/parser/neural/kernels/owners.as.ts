// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { linear } from './matrices.as';
import { countOf, endOf, placeOf, spanStates, startOf } from './spans.as';
import { Plan } from './structs.as';

/** Bytes of a row of `owners`; of a row of owner scores. */
const ownerRow: usize = 12;
const scoreRow: usize = 32;
const zero: v128 = f32x4.splat(0);

/** How likely each mention in reach is to own each attribute, by tagging: fills `placedOwners`, `placedOwnerCounts` and `ownerScores`. @returns how many owners there are */
export function own(plan: Plan, rows: i32, taggings: i32): i32 {
  const owners = placeOwners(plan, rows, taggings);
  if (owners == 0) return 0;
  const mentions = plan.mentions;
  const attributes = plan.attributes;
  const hidden = plan.hidden;
  const attributeHidden = plan.attributeHidden;
  const scratch = plan.scratch;
  spanStates(attributes, plan.related, hidden, plan.spanStates);
  linear(plan.attributeLayer, attributes.count, plan.spanStates, plan.attributeStates, false, scratch);
  spanStates(mentions, plan.related, hidden, plan.spanStates);
  linear(plan.ownerLayer, mentions.count, plan.spanStates, plan.ownerStates, false, scratch);
  const bytes = (<usize>attributeHidden) << 2;
  let to = plan.ownerIn;
  for (let n: usize = 0; n < <usize>owners; n++, to += bytes) {
    const row = plan.owners + n * ownerRow;
    const attribute = plan.attributeStates + <usize>load<u32>(row) * bytes;
    const mention = plan.ownerStates + <usize>load<u32>(row, 4) * bytes;
    const distance = plan.attributeDistances + <usize>load<u32>(row, 8) * bytes;
    for (let k: usize = 0; k < bytes; k += 16) {
      const ends = f32x4.add(f32x4.add(v128.load(plan.attributeBias + k), v128.load(attribute + k)), v128.load(mention + k));
      v128.store(to + k, f32x4.max(f32x4.add(ends, v128.load(distance + k)), zero));
    }
  }
  linear(plan.attributeScoreLayer, owners, plan.ownerIn, plan.ownerScores, false, scratch);
  return owners;
}

/** Each attribute and mention once. @returns how many owners there are */
function placeOwners(plan: Plan, rows: i32, taggings: i32): i32 {
  const mentions = plan.mentions;
  const attributes = plan.attributes;
  let owners = 0;
  let placed = plan.placedOwners;
  for (let tagging = 0; tagging < taggings; tagging++) {
    const before = placed;
    for (let a = 0; a < countOf(attributes, tagging); a++) {
      const attribute = placeOf(attributes, rows, tagging, a);
      for (let m = 0; m < countOf(mentions, tagging); m++) {
        const mention = placeOf(mentions, rows, tagging, m);
        if (!isNear(plan, attribute, mention)) continue;
        const last = plan.owners + <usize>owners * ownerRow;
        let at = tagging > 0 ? plan.owners : last;
        while (at < last && !(load<i32>(at) == attribute && load<i32>(at, 4) == mention)) at += ownerRow;
        if (at == last) {
          // As `attributeDistanceOf` of parameters.ts.
          const gap = startOf(mentions, mention) - endOf(attributes, attribute);
          store<i32>(at, attribute);
          store<i32>(at, mention, 4);
          store<i32>(at, max(-7, min(7, gap)) + 8, 8);
          owners++;
        }
        store<i32>(placed, <i32>((at - plan.owners) / ownerRow));
        placed += 4;
      }
    }
    store<i32>(plan.placedOwnerCounts + ((<usize>tagging) << 2), <i32>((placed - before) >> 2));
  }
  return owners;
}

// @ts-ignore: decorator
@inline
export function isNear(plan: Plan, attribute: i32, mention: i32): bool {
  const gap = startOf(plan.mentions, mention) - endOf(plan.attributes, attribute);
  return gap <= plan.ownerReach && -gap <= plan.ownerReach;
}

/** Log-odds. @param placed address in `placedOwners` */
// @ts-ignore: decorator
@inline
export function ownerScore(plan: Plan, placed: usize): f64 {
  return <f64>load<f32>(plan.ownerScores + <usize>load<u32>(placed) * scoreRow);
}

/** How many owners a tagging has. */
// @ts-ignore: decorator
@inline
export function ownerCount(plan: Plan, tagging: i32): i32 {
  return load<i32>(plan.placedOwnerCounts + ((<usize>tagging) << 2));
}

/** Which owner. @param placed address in `placedOwners` */
// @ts-ignore: decorator
@inline
export function ownerPlace(placed: usize): i32 {
  return load<i32>(placed);
}
