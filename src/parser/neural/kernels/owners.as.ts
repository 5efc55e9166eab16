// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { linear } from './matrices.as';
import { countOf, endOf, indexOf, spanStates, startOf } from './spans.as';
import { Owner, Plan } from './structs.as';

/** Bytes of a row of owner scores. */
const scoreRow: usize = 32;
const zero: v128 = f32x4.splat(0);

/**
 * Scores whether each mention within `maxOwnerGap` owns each attribute. Fills `owners`, `taggingOwners`,
 * `taggingOwnerCounts` and `ownerScores`.
 * @returns the number of owners
 */
export function scoreOwners(plan: Plan, rows: i32, taggings: i32): i32 {
  const owners = collectOwners(plan, rows, taggings);
  if (owners == 0) return 0;
  const mentions = plan.mentions;
  const attributes = plan.attributes;
  const hidden = plan.hidden;
  const attributeHidden = plan.attributeHidden;
  const scratch = plan.scratch;
  spanStates(attributes, plan.relationStates, hidden, plan.spanStates);
  linear(plan.attributeLayer, attributes.count, plan.spanStates, plan.attributeStates, false, scratch);
  spanStates(mentions, plan.relationStates, hidden, plan.spanStates);
  linear(plan.ownerLayer, mentions.count, plan.spanStates, plan.ownerStates, false, scratch);
  const bytes = (<usize>attributeHidden) << 2;
  let to = plan.ownerIn;
  for (let n = 0; n < owners; n++, to += bytes) {
    const owner = ownerAt(plan, n);
    const attribute = plan.attributeStates + <usize>owner.attribute * bytes;
    const mention = plan.ownerStates + <usize>owner.mention * bytes;
    const distance = plan.attributeDistances + <usize>owner.distance * bytes;
    for (let k: usize = 0; k < bytes; k += 16) {
      const ends = f32x4.add(f32x4.add(v128.load(plan.attributeBias + k), v128.load(attribute + k)), v128.load(mention + k));
      v128.store(to + k, f32x4.max(f32x4.add(ends, v128.load(distance + k)), zero));
    }
  }
  linear(plan.attributeScoreLayer, owners, plan.ownerIn, plan.ownerScores, false, scratch);
  return owners;
}

// @ts-ignore: decorator
@inline
function ownerAt(plan: Plan, index: i32): Owner {
  return changetype<Owner>(plan.owners + <usize>index * offsetof<Owner>());
}

/** Stores each pair of attribute and mention once. @returns the number of owners */
function collectOwners(plan: Plan, rows: i32, taggings: i32): i32 {
  const mentions = plan.mentions;
  const attributes = plan.attributes;
  let owners = 0;
  let to = plan.taggingOwners;
  for (let tagging = 0; tagging < taggings; tagging++) {
    const first = to;
    for (let a = 0; a < countOf(attributes, tagging); a++) {
      const attribute = indexOf(attributes, rows, tagging, a);
      for (let m = 0; m < countOf(mentions, tagging); m++) {
        const mention = indexOf(mentions, rows, tagging, m);
        if (!isNear(plan, attribute, mention)) continue;
        let index = tagging > 0 ? 0 : owners;
        for (; index < owners; index++) {
          const known = ownerAt(plan, index);
          if (known.attribute == attribute && known.mention == mention) break;
        }
        if (index == owners) {
          const owner = ownerAt(plan, owners++);
          owner.attribute = attribute;
          owner.mention = mention;
          // As `attributeDistanceRow` in network-parameters.ts.
          const gap = startOf(mentions, mention) - endOf(attributes, attribute);
          owner.distance = max(-7, min(7, gap)) + 8;
        }
        store<i32>(to, index);
        to += 4;
      }
    }
    store<i32>(plan.taggingOwnerCounts + ((<usize>tagging) << 2), <i32>((to - first) >> 2));
  }
  return owners;
}

/** Whether a mention is near enough to an attribute to own it. */
// @ts-ignore: decorator
@inline
export function isNear(plan: Plan, attribute: i32, mention: i32): bool {
  const gap = startOf(plan.mentions, mention) - endOf(plan.attributes, attribute);
  return gap <= plan.maxOwnerGap && -gap <= plan.maxOwnerGap;
}

/** Returns the log-odds of an owner. @param at address in `taggingOwners` */
// @ts-ignore: decorator
@inline
export function ownerScore(plan: Plan, at: usize): f64 {
  return <f64>load<f32>(plan.ownerScores + <usize>load<u32>(at) * scoreRow);
}

/** Returns the number of owners of a tagging. */
// @ts-ignore: decorator
@inline
export function ownerCount(plan: Plan, tagging: i32): i32 {
  return load<i32>(plan.taggingOwnerCounts + ((<usize>tagging) << 2));
}

/** Returns the index of an owner. @param at address in `taggingOwners` */
// @ts-ignore: decorator
@inline
export function ownerIndex(at: usize): i32 {
  return load<i32>(at);
}
