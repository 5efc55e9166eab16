import * as tf from '@tensorflow/tfjs-core';
import { cxcywhToXyxy, generalizedIou } from '../../model/ops/boxes.js';
import { detach } from '../../model/ops/detach.js';
import type { LayerOutput } from '../../model/rlip-v2.js';
import { focalLoss, qualityFocalLoss } from './focal-loss.js';
import { matchPairs } from './match-pairs.js';
import { type Matches, type PairTargets, pairCount } from './pair-targets.js';

/** Weight of the label "no objects" in the cross-entropy. */
const NO_OBJECT_WEIGHT = 0.1;

/** The terms of a decoder layer's loss. */
export interface LossTerms {
  /** Cross-entropy of subjects' and objects' labels. */
  readonly labels: tf.Scalar;
  readonly relations: tf.Scalar;
  readonly subjectBoxes: tf.Scalar;
  readonly objectBoxes: tf.Scalar;
  readonly subjectGiou: tf.Scalar;
  readonly objectGiou: tf.Scalar;
}

/** Weights of the terms of a loss. */
export type LossWeights = Readonly<Record<keyof LossTerms, number>>;

/** The official weights of the terms. */
export const officialWeights: LossWeights = {
  labels: 1,
  relations: 1,
  subjectBoxes: 2.5,
  objectBoxes: 2.5,
  subjectGiou: 1,
  objectGiou: 1,
};

/** Options of `pairLosses`. */
export interface PairLossOptions {
  /**
   * Whether query k is target k, as with a tagger; then queries without a target have no loss. Otherwise queries are
   * matched, and those without a target are trained towards "no objects".
   */
  readonly givenPairs: boolean;
  /** Whether relation targets are multiplied by the quality of the boxes. Source: RLIP, relational quality labels. */
  readonly qualityLabels: boolean;
  /**
   * The matches of each image if they are known; otherwise they are computed from the output, which a GPU backend
   * cannot do inside a differentiated function.
   */
  readonly matches?: readonly Matches[];
  /** Added to the relation targets, `[pairs, relations]` for each image, see `pseudoLabels`. */
  readonly pseudoLabels?: readonly Float32Array[];
}

/** The matched queries of a batch with their targets. */
interface MatchedPairs {
  /** Indices into `[images · queries]`. */
  readonly rows: tf.Tensor1D;
  /** The same indices in main memory, to avoid reading them back from the backend. */
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
 * Computes the losses of one decoder layer.
 * @returns scalars that the caller disposes of
 *
 * Source: RLIPv2, models/hoi.py, and the training section of the paper.
 */
export function pairLosses(output: LayerOutput, targets: readonly PairTargets[], options: PairLossOptions): LossTerms {
  const { givenPairs } = options;
  const queries = output.subjectLogits.shape[1];
  const matches = options.matches ?? (givenPairs ? targets.map(identityMatches) : matchPairs(output, targets));
  const matched = gatherMatched(targets, matches, queries, output.relationLogits.shape[2], options.pseudoLabels);
  const subject = boxLosses(output.subjectBoxes, matched.rows, matched.subjectBoxes);
  const object = boxLosses(output.objectBoxes, matched.rows, matched.objectBoxes);
  // An absent object has a box of zeros, and no box loss.
  const isPresent = tf.cast(tf.any(tf.notEqual(matched.objectBoxes, 0), 1), 'float32');
  const pairs = Math.max(1, matched.count);
  const averageOverPresent = (losses: tf.Tensor1D) =>
    tf.div(tf.sum(tf.mul(losses, isPresent)), tf.add(tf.sum(isPresent), 1e-4)) as tf.Scalar;
  return {
    labels: tf.add(
      labelLoss(output.objectLogits, matched, matched.objectLabels, givenPairs),
      labelLoss(output.subjectLogits, matched, matched.subjectLabels, givenPairs),
    ),
    relations: relationLoss(output.relationLogits, matched, subject.giou, object.giou, options),
    subjectBoxes: tf.div(tf.sum(subject.distance), pairs),
    objectBoxes: averageOverPresent(object.distance),
    subjectGiou: tf.div(tf.sum(tf.sub(1, subject.giou)), pairs),
    objectGiou: averageOverPresent(tf.sub(1, object.giou)),
  };
}

/** Computes the weighted sum of the terms of all layers. */
export function totalLoss(layers: readonly LossTerms[], weights: LossWeights = officialWeights): tf.Scalar {
  const terms = layers.flatMap((layer) =>
    Object.entries(layer).map(([name, value]) => tf.mul(value, weights[name as keyof LossTerms])),
  );
  return tf.addN(terms) as tf.Scalar;
}

const identityMatches = (target: PairTargets): Matches => ({
  queries: Int32Array.from({ length: pairCount(target) }, (_, k) => k),
});

/** Concatenates the targets of all images, with the rows of the queries that they are matched with. */
function gatherMatched(
  targets: readonly PairTargets[],
  matches: readonly Matches[],
  queries: number,
  relations: number,
  pseudoLabels: readonly Float32Array[] | undefined,
): MatchedPairs {
  const counts = targets.map(pairCount);
  const count = counts.reduce((sum, size) => sum + size, 0);
  const rows = new Int32Array(count);
  const relationTargets = new Float32Array(count * relations);
  let at = 0;
  for (const [image, target] of targets.entries()) {
    for (const [k, query] of matches[image]!.queries.entries()) rows[at + k] = image * queries + query;
    const added = pseudoLabels?.[image];
    relationTargets.set(
      target.relations.map((value, k) => value + (added?.[k] ?? 0)),
      at * relations,
    );
    at += counts[image]!;
  }
  const boxes = (name: 'subjectBoxes' | 'objectBoxes') =>
    tf.tensor2d(concatenated(targets.map((target) => target[name])), [count, 4]);
  const labels = (name: 'subjectLabels' | 'objectLabels') =>
    Int32Array.from(targets.flatMap((target) => [...target[name]]));
  return {
    rows: tf.tensor1d(rows, 'int32'),
    rowIndices: rows,
    count,
    subjectBoxes: boxes('subjectBoxes'),
    objectBoxes: boxes('objectBoxes'),
    subjectLabels: labels('subjectLabels'),
    objectLabels: labels('objectLabels'),
    relations: tf.tensor2d(relationTargets, [count, relations]),
  };
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Gathers the matched rows: `[images, queries, width]` → `[count, width]`. */
function gatherRows(values: tf.Tensor3D, rows: tf.Tensor1D): tf.Tensor2D {
  const width = values.shape[2];
  return tf.gather(tf.reshape(values, [-1, width]), rows) as tf.Tensor2D; // [count, width]
}

/** Computes the L1 distance and the generalized IoU of each matched box, `[count]`. */
function boxLosses(boxes: tf.Tensor3D, rows: tf.Tensor1D, target: tf.Tensor2D) {
  const found = gatherRows(boxes, rows);
  return {
    distance: tf.sum(tf.abs(tf.sub(found, target)), 1) as tf.Tensor1D,
    giou: generalizedIou(cxcywhToXyxy(found) as tf.Tensor2D, cxcywhToXyxy(target) as tf.Tensor2D),
  };
}

/** Computes the cross-entropy as a weighted mean; the last label is "no objects". */
function labelLoss(
  logits: tf.Tensor3D,
  { rows, rowIndices }: MatchedPairs,
  target: Int32Array,
  givenPairs: boolean,
): tf.Scalar {
  const [images, queries, labels] = logits.shape;
  const all = tf.reshape(logits, [images * queries, labels]);
  let scores: tf.Tensor = all;
  let classes = target;
  if (givenPairs) scores = tf.gather(all, rows);
  else {
    classes = new Int32Array(images * queries).fill(labels - 1);
    for (const [k, row] of rowIndices.entries()) classes[row] = target[k]!;
  }
  if (classes.length === 0) return tf.scalar(0);
  const weights = Float32Array.from(classes, (label) => (label === labels - 1 ? NO_OBJECT_WEIGHT : 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const weighted = tf.mul(tf.oneHot(tf.tensor1d(classes, 'int32'), labels), tf.expandDims(tf.tensor1d(weights), 1));
  return tf.div(tf.neg(tf.sum(tf.mul(tf.logSoftmax(scores), weighted))), total) as tf.Scalar;
}

function relationLoss(
  logits: tf.Tensor3D,
  { rows, relations }: MatchedPairs,
  subjectGiou: tf.Tensor1D,
  objectGiou: tf.Tensor1D,
  { givenPairs, qualityLabels }: PairLossOptions,
): tf.Scalar {
  const [images, queries, count] = logits.shape;
  if (givenPairs && !qualityLabels) return focalLoss(gatherRows(logits, rows), relations);
  const quality = tf.div(tf.add(tf.minimum(detach(subjectGiou), detach(objectGiou)), 1), 2);
  const targets = qualityLabels ? tf.mul(relations, tf.expandDims(quality, 1)) : relations;
  // Queries without a target have targets of zeros.
  const all = tf.unsortedSegmentSum(targets, rows, images * queries); // [images · queries, relations]
  const scores = tf.reshape(logits, [images * queries, count]);
  return qualityLabels ? qualityFocalLoss(scores, all) : focalLoss(scores, all);
}
