import { RelflowError } from '../../errors.js';
import type { LayerOutput } from '../../model/rlip-v2.js';
import { giou } from './giou.js';
import { hungarian } from './hungarian.js';
import { type Matches, type PairTargets, pairCount } from './pair-targets.js';

/** Weights of the parts of a matching cost. */
export interface MatchCosts {
  readonly labels: number;
  readonly relations: number;
  readonly boxes: number;
  readonly giou: number;
}

/** The official weights. */
export const officialCosts: MatchCosts = { labels: 1, relations: 1, boxes: 2.5, giou: 1 };

/** A layer's output in main memory, `[images, pairs, …]` in row-major order. */
interface OutputValues {
  readonly subjectLogits: Float32Array;
  readonly objectLogits: Float32Array;
  readonly relationLogits: Float32Array;
  readonly subjectBoxes: Float32Array;
  readonly objectBoxes: Float32Array;
}

const OUTPUT_NAMES = ['subjectLogits', 'objectLogits', 'relationLogits', 'subjectBoxes', 'objectBoxes'] as const;

/**
 * Matches each target with a query, image by image, with the least cost of labels, relations and boxes.
 * @returns the matches of each image
 * @throws RangeError when an image has more targets than queries
 *
 * Source: DETR, `HungarianMatcher`; RLIPv2, models/matcher.py.
 */
export function matchPairs(
  output: LayerOutput,
  targets: readonly PairTargets[],
  costs: MatchCosts = officialCosts,
): Matches[] {
  const values = OUTPUT_NAMES.map((name) => [name, output[name].dataSync()]);
  return matchValues(output, Object.fromEntries(values) as unknown as OutputValues, targets, costs);
}

/** Does the same as `matchPairs`, but reads the output asynchronously, as a GPU backend requires. */
export async function matchPairsAsync(
  output: LayerOutput,
  targets: readonly PairTargets[],
  costs: MatchCosts = officialCosts,
): Promise<Matches[]> {
  const values = await Promise.all(OUTPUT_NAMES.map(async (name) => [name, await output[name].data()]));
  return matchValues(output, Object.fromEntries(values) as unknown as OutputValues, targets, costs);
}

function matchValues(
  output: LayerOutput,
  values: OutputValues,
  targets: readonly PairTargets[],
  costs: MatchCosts,
): Matches[] {
  const [, queries, labels] = output.subjectLogits.shape;
  const relations = output.relationLogits.shape[2];
  return targets.map((target, image) => {
    const ofImage = (array: Float32Array, width: number) =>
      array.subarray(image * queries * width, (image + 1) * queries * width);
    const found: OutputValues = {
      subjectLogits: ofImage(values.subjectLogits, labels),
      objectLogits: ofImage(values.objectLogits, labels),
      relationLogits: ofImage(values.relationLogits, relations),
      subjectBoxes: ofImage(values.subjectBoxes, 4),
      objectBoxes: ofImage(values.objectBoxes, 4),
    };
    const cost = costMatrix(found, target, { queries, labels, relations }, costs);
    if (!cost.every(Number.isFinite))
      throw new RelflowError(
        'diverged',
        'training: the outputs of the model are not finite, so no pairs can be matched',
      );
    return { queries: hungarian(cost, pairCount(target), queries) };
  });
}

/** @returns `[targets, queries]` in row-major order */
function costMatrix(
  found: OutputValues,
  target: PairTargets,
  { queries, labels, relations }: { readonly queries: number; readonly labels: number; readonly relations: number },
  costs: MatchCosts,
): Float64Array {
  const count = pairCount(target);
  const matrix = new Float64Array(count * queries);
  const [subjects, objects] = [softmaxRows(found.subjectLogits, labels), softmaxRows(found.objectLogits, labels)];
  for (let query = 0; query < queries; query++)
    for (let k = 0; k < count; k++) {
      const labelScore =
        subjects[query * labels + target.subjectLabels[k]!]! + objects[query * labels + target.objectLabels[k]!]!;
      const relationScore = meanRelationScore(
        found.relationLogits.subarray(query * relations, (query + 1) * relations),
        target.relations.subarray(k * relations, (k + 1) * relations),
      );
      const box = (array: Float32Array, row: number) => array.subarray(4 * row, 4 * row + 4);
      const [subject, object] = [box(found.subjectBoxes, query), box(found.objectBoxes, query)];
      const [targetSubject, targetObject] = [box(target.subjectBoxes, k), box(target.objectBoxes, k)];
      // An absent object has a box of zeros; then only the subject's box counts.
      const isPresent = targetObject.some((value) => value !== 0);
      const distance = Math.max(l1(subject, targetSubject), isPresent ? l1(object, targetObject) : 0);
      const subjectCost = -giou(subject, targetSubject);
      const objectCost = -giou(object, targetObject) + (isPresent ? 0 : subjectCost);
      matrix[k * queries + query] =
        -costs.labels * labelScore -
        costs.relations * relationScore +
        costs.boxes * distance +
        costs.giou * Math.max(subjectCost, objectCost);
    }
  return matrix;
}

/** Returns the mean of the positives' mean probability and the negatives' mean complement. */
function meanRelationScore(logits: Float32Array, target: Float32Array): number {
  let [positives, negatives, positiveSum, negativeSum] = [0, 0, 0, 0];
  for (const [k, y] of target.entries()) {
    const p = 1 / (1 + Math.exp(-logits[k]!));
    positives += y;
    negatives += 1 - y;
    positiveSum += p * y;
    negativeSum += (1 - p) * (1 - y);
  }
  return (positiveSum / (positives + 1e-4) + negativeSum / (negatives + 1e-4)) / 2;
}

function softmaxRows(logits: Float32Array, width: number): Float64Array {
  const result = Float64Array.from(logits);
  for (let start = 0; start < result.length; start += width) {
    const row = result.subarray(start, start + width);
    const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (let k = 0; k < width; k++) {
      row[k] = Math.exp(row[k]! - max);
      sum += row[k]!;
    }
    for (let k = 0; k < width; k++) row[k]! /= sum;
  }
  return result;
}

const l1 = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, k) => sum + Math.abs(value - b[k]!), 0);
