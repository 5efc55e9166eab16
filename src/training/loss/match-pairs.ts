import type { LayerOutput } from '../../model/rlip-v2.js';
import { hungarian } from './hungarian.js';
import { type Matches, type PairTargets, pairCount } from './pair-targets.js';

/** How much each part of a match costs. */
export interface MatchCosts {
  readonly labels: number;
  readonly relations: number;
  readonly boxes: number;
  readonly giou: number;
}

export const officialCosts: MatchCosts = { labels: 1, relations: 1, boxes: 2.5, giou: 1 };

/** A layer's output in memory, `[images, pairs, …]` row by row. */
interface Arrays {
  readonly subjectLogits: Float32Array;
  readonly objectLogits: Float32Array;
  readonly relationLogits: Float32Array;
  readonly subjectBoxes: Float32Array;
  readonly objectBoxes: Float32Array;
}

/** What a match is judged by. */
const NAMES = ['subjectLogits', 'objectLogits', 'relationLogits', 'subjectBoxes', 'objectBoxes'] as const;

/**
 * Finds which query stands for which target, image by image, so that labels, relations and boxes fit best.
 * @returns one entry an image
 * @throws RangeError where an image has more targets than queries
 *
 * Source: DETR, `HungarianMatcher`; RLIPv2, models/matcher.py.
 */
export function matchPairs(
  output: LayerOutput,
  targets: readonly PairTargets[],
  costs: MatchCosts = officialCosts,
): Matches[] {
  const read = NAMES.map((name) => [name, output[name].dataSync()]);
  return matchArrays(output, Object.fromEntries(read) as unknown as Arrays, targets, costs);
}

/** `matchPairs` of what is read asynchronously, as a GPU alone can be. */
export async function matchPairsAsync(
  output: LayerOutput,
  targets: readonly PairTargets[],
  costs: MatchCosts = officialCosts,
): Promise<Matches[]> {
  const read = await Promise.all(NAMES.map(async (name) => [name, await output[name].data()]));
  return matchArrays(output, Object.fromEntries(read) as unknown as Arrays, targets, costs);
}

function matchArrays(
  output: LayerOutput,
  arrays: Arrays,
  targets: readonly PairTargets[],
  costs: MatchCosts,
): Matches[] {
  const [, queries, labels] = output.subjectLogits.shape;
  const relations = output.relationLogits.shape[2];
  return targets.map((target, image) => {
    const of = (array: Float32Array, width: number) =>
      array.subarray(image * queries * width, (image + 1) * queries * width);
    const own: Arrays = {
      subjectLogits: of(arrays.subjectLogits, labels),
      objectLogits: of(arrays.objectLogits, labels),
      relationLogits: of(arrays.relationLogits, relations),
      subjectBoxes: of(arrays.subjectBoxes, 4),
      objectBoxes: of(arrays.objectBoxes, 4),
    };
    return {
      queries: hungarian(costMatrix(own, target, queries, labels, relations, costs), pairCount(target), queries),
    };
  });
}

function costMatrix(
  own: Arrays,
  target: PairTargets,
  queries: number,
  labels: number,
  relations: number,
  costs: MatchCosts,
): Float64Array {
  const count = pairCount(target);
  const matrix = new Float64Array(count * queries);
  const [subjects, objects] = [softmaxRows(own.subjectLogits, labels), softmaxRows(own.objectLogits, labels)];
  for (let query = 0; query < queries; query++)
    for (let k = 0; k < count; k++) {
      const label =
        subjects[query * labels + target.subjectLabels[k]!]! + objects[query * labels + target.objectLabels[k]!]!;
      const relation = relationFit(
        own.relationLogits.subarray(query * relations, (query + 1) * relations),
        target.relations.subarray(k * relations, (k + 1) * relations),
      );
      const box = (array: Float32Array, row: number) => array.subarray(4 * row, 4 * row + 4);
      const [subject, object] = [box(own.subjectBoxes, query), box(own.objectBoxes, query)];
      const [wantedSubject, wantedObject] = [box(target.subjectBoxes, k), box(target.objectBoxes, k)];
      // An object that is not in the image has a box of zeros: then the subject's box alone counts.
      const there = wantedObject.some((value) => value !== 0);
      const distance = Math.max(l1(subject, wantedSubject), there ? l1(object, wantedObject) : 0);
      const subjectMiss = -giou(subject, wantedSubject);
      const objectMiss = -giou(object, wantedObject) + (there ? 0 : subjectMiss);
      matrix[k * queries + query] =
        -costs.labels * label -
        costs.relations * relation +
        costs.boxes * distance +
        costs.giou * Math.max(subjectMiss, objectMiss);
    }
  return matrix;
}

/** Mean of how likely the relations that hold are, and of how unlikely the others. */
function relationFit(logits: Float32Array, wanted: Float32Array): number {
  let [hold, others, likely, unlikely] = [0, 0, 0, 0];
  for (const [k, y] of wanted.entries()) {
    const p = 1 / (1 + Math.exp(-logits[k]!));
    hold += y;
    others += 1 - y;
    likely += p * y;
    unlikely += (1 - p) * (1 - y);
  }
  return (likely / (hold + 1e-4) + unlikely / (others + 1e-4)) / 2;
}

function softmaxRows(logits: Float32Array, width: number): Float64Array {
  const result = Float64Array.from(logits);
  for (let start = 0; start < result.length; start += width) {
    const row = result.subarray(start, start + width);
    const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (let k = 0; k < width; k++) {
      row[k] = Math.exp(row[k]! - most);
      sum += row[k]!;
    }
    for (let k = 0; k < width; k++) row[k]! /= sum;
  }
  return result;
}

const l1 = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, k) => sum + Math.abs(value - b[k]!), 0);

/** Generalised intersection over union of two boxes, cx, cy, w and h. */
export function giou(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const side = (axis: 0 | 1) => {
    const low = Math.max(a[axis]! - a[axis + 2]! / 2, b[axis]! - b[axis + 2]! / 2);
    const high = Math.min(a[axis]! + a[axis + 2]! / 2, b[axis]! + b[axis + 2]! / 2);
    const start = Math.min(a[axis]! - a[axis + 2]! / 2, b[axis]! - b[axis + 2]! / 2);
    const end = Math.max(a[axis]! + a[axis + 2]! / 2, b[axis]! + b[axis + 2]! / 2);
    return { shared: Math.max(0, high - low), hull: Math.max(0, end - start) };
  };
  const [x, y] = [side(0), side(1)];
  const shared = x.shared * y.shared;
  const union = a[2]! * a[3]! + b[2]! * b[3]! - shared;
  const hull = x.hull * y.hull;
  return shared / union - (hull - union) / hull;
}
