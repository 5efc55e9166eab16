import * as tf from '@tensorflow/tfjs-core';
import { cxcywhToXyxy, generalizedIou } from '../../model/ops/boxes.js';
import { detach } from '../../model/ops/detach.js';
import type { LayerOutput } from '../../model/rlip-v2.js';
import { focalLoss, qualityFocalLoss } from './focal-loss.js';
import { matchPairs } from './match-pairs.js';
import { type Matches, type PairTargets, pairCount } from './pair-targets.js';

/** How much "no objects" weighs among the labels. */
const NO_OBJECT_WEIGHT = 0.1;

/** What a layer's loss is the sum of. */
export interface LossTerms {
  /** Cross-entropy of subjects' and objects' labels. */
  readonly labels: tf.Scalar;
  readonly relations: tf.Scalar;
  readonly subjectBoxes: tf.Scalar;
  readonly objectBoxes: tf.Scalar;
  readonly subjectGiou: tf.Scalar;
  readonly objectGiou: tf.Scalar;
}

export type LossWeights = Readonly<Record<keyof LossTerms, number>>;

export const officialWeights: LossWeights = {
  labels: 1,
  relations: 1,
  subjectBoxes: 2.5,
  objectBoxes: 2.5,
  subjectGiou: 1,
  objectGiou: 1,
};

export interface PairLossOptions {
  /**
   * Whether query k is target k, as with a tagger; then what has no target has no loss. Otherwise queries are matched,
   * and the rest of them should say "no objects".
   */
  readonly givenPairs: boolean;
  /** Whether a relation's label is as strong as its boxes are good. Source: RLIP, relational quality labels. */
  readonly qualityLabels: boolean;
  /**
   * Which query stands for which target, of each image, where that is known; else it is read from the output, which a GPU
   * does not allow in the middle of a pass.
   */
  readonly matches?: readonly Matches[];
  /** Shares of further relations, see `pseudoLabels`: `[pairs, relations]` an image. */
  readonly pseudoLabels?: readonly Float32Array[];
}

/** Matched queries and their targets, over the whole batch. */
interface MatchedPairs {
  /** Rows of `[images · queries]`. */
  readonly rows: tf.Tensor1D;
  /** The same numbers, outside of the backend, where no read is needed. */
  readonly rowIndices: Int32Array;
  readonly count: number;
  readonly subjectBoxes: tf.Tensor2D;
  readonly objectBoxes: tf.Tensor2D;
  readonly subjectLabels: Int32Array;
  readonly objectLabels: Int32Array;
  /** `[count, relations]` */
  readonly relations: tf.Tensor2D;
}

/**
 * The losses of one decoder layer.
 * @returns scalars that the caller disposes of
 *
 * Source: RLIPv2, models/hoi.py, and the training section of the paper.
 */
export function pairLosses(output: LayerOutput, targets: readonly PairTargets[], options: PairLossOptions): LossTerms {
  const queries = output.subjectLogits.shape[1];
  const matches = options.matches ?? (options.givenPairs ? targets.map(identity) : matchPairs(output, targets));
  const matched = gatherMatched(targets, matches, queries, output.relationLogits.shape[2], options.pseudoLabels);
  const subject = boxLosses(output.subjectBoxes, matched.rows, matched.subjectBoxes);
  const object = boxLosses(output.objectBoxes, matched.rows, matched.objectBoxes);
  // An object that is not in the image has a box of zeros, and no loss.
  const there = tf.cast(tf.any(tf.notEqual(matched.objectBoxes, 0), 1), 'float32');
  const pairs = Math.max(1, matched.count);
  const overThere = (losses: tf.Tensor1D) =>
    tf.div(tf.sum(tf.mul(losses, there)), tf.add(tf.sum(there), 1e-4)) as tf.Scalar;
  return {
    labels: tf.add(
      labelLoss(output.objectLogits, matched, matched.objectLabels, options.givenPairs),
      labelLoss(output.subjectLogits, matched, matched.subjectLabels, options.givenPairs),
    ),
    relations: relationLoss(output.relationLogits, matched, subject.giou, object.giou, options),
    subjectBoxes: tf.div(tf.sum(subject.distance), pairs),
    objectBoxes: overThere(object.distance),
    subjectGiou: tf.div(tf.sum(tf.sub(1, subject.giou)), pairs),
    objectGiou: overThere(tf.sub(1, object.giou)),
  };
}

/** The weighted sum over all layers. */
export function totalLoss(layers: readonly LossTerms[], weights: LossWeights = officialWeights): tf.Scalar {
  const parts = layers.flatMap((terms) =>
    Object.entries(terms).map(([name, value]) => tf.mul(value, weights[name as keyof LossTerms])),
  );
  return tf.addN(parts) as tf.Scalar;
}

const identity = (target: PairTargets): Matches => ({
  queries: Int32Array.from({ length: pairCount(target) }, (_, k) => k),
});

function gatherMatched(
  targets: readonly PairTargets[],
  matches: readonly Matches[],
  queries: number,
  relations: number,
  extra: readonly Float32Array[] | undefined,
): MatchedPairs {
  const counts = targets.map(pairCount);
  const count = counts.reduce((sum, size) => sum + size, 0);
  const rows = new Int32Array(count);
  const labels = new Float32Array(count * relations);
  let at = 0;
  for (const [image, target] of targets.entries()) {
    for (const [k, query] of matches[image]!.queries.entries()) rows[at + k] = image * queries + query;
    const shares = extra?.[image];
    labels.set(
      target.relations.map((value, k) => value + (shares?.[k] ?? 0)),
      at * relations,
    );
    at += counts[image]!;
  }
  const boxes = (name: 'subjectBoxes' | 'objectBoxes') => tf.tensor2d(joined(targets.map((t) => t[name])), [count, 4]);
  const labelsOf = (name: 'subjectLabels' | 'objectLabels') => Int32Array.from(targets.flatMap((t) => [...t[name]]));
  return {
    rows: tf.tensor1d(rows, 'int32'),
    rowIndices: rows,
    count,
    subjectBoxes: boxes('subjectBoxes'),
    objectBoxes: boxes('objectBoxes'),
    subjectLabels: labelsOf('subjectLabels'),
    objectLabels: labelsOf('objectLabels'),
    relations: tf.tensor2d(labels, [count, relations]),
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** `[images, queries, width]` → the rows that are matched, `[count, width]`. */
function matchedRows(values: tf.Tensor3D, rows: tf.Tensor1D): tf.Tensor2D {
  const width = values.shape[2];
  return tf.gather(tf.reshape(values, [-1, width]), rows) as tf.Tensor2D;
}

/** Of each matched box: the sum of its numbers' distances, and its generalised IoU. */
function boxLosses(boxes: tf.Tensor3D, rows: tf.Tensor1D, wanted: tf.Tensor2D) {
  const found = matchedRows(boxes, rows);
  return {
    distance: tf.sum(tf.abs(tf.sub(found, wanted)), 1) as tf.Tensor1D,
    giou: generalizedIou(cxcywhToXyxy(found) as tf.Tensor2D, cxcywhToXyxy(wanted) as tf.Tensor2D),
  };
}

/** Cross-entropy as a weighted mean; the last label is "no objects". */
function labelLoss(
  logits: tf.Tensor3D,
  { rows, rowIndices: places }: MatchedPairs,
  wanted: Int32Array,
  given: boolean,
): tf.Scalar {
  const [images, queries, labels] = logits.shape;
  const all = tf.reshape(logits, [images * queries, labels]);
  let scores: tf.Tensor = all;
  let classes = wanted;
  if (given) scores = tf.gather(all, rows);
  else {
    classes = new Int32Array(images * queries).fill(labels - 1);
    for (const [k, row] of places.entries()) classes[row] = wanted[k]!;
  }
  if (classes.length === 0) return tf.scalar(0);
  const weights = Float32Array.from(classes, (label) => (label === labels - 1 ? NO_OBJECT_WEIGHT : 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const picked = tf.mul(tf.oneHot(tf.tensor1d(classes, 'int32'), labels), tf.expandDims(tf.tensor1d(weights), 1));
  return tf.div(tf.neg(tf.sum(tf.mul(tf.logSoftmax(scores), picked))), total) as tf.Scalar;
}

function relationLoss(
  logits: tf.Tensor3D,
  { rows, relations }: MatchedPairs,
  subjectGiou: tf.Tensor1D,
  objectGiou: tf.Tensor1D,
  { givenPairs: given, qualityLabels: quality }: PairLossOptions,
): tf.Scalar {
  const [images, queries, count] = logits.shape;
  if (given && !quality) return focalLoss(matchedRows(logits, rows), relations);
  const strength = tf.div(tf.add(tf.minimum(detach(subjectGiou), detach(objectGiou)), 1), 2);
  const wanted = quality ? tf.mul(relations, tf.expandDims(strength, 1)) : relations;
  // Rows without a target want nothing to hold.
  const all = tf.unsortedSegmentSum(wanted, rows, images * queries);
  const scores = tf.reshape(logits, [images * queries, count]);
  return quality ? qualityFocalLoss(scores, all) : focalLoss(scores, all);
}
