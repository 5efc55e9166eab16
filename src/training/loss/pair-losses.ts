import * as tf from '@tensorflow/tfjs-core';
import { cxcywhToXyxy, generalizedIou } from '../../model/ops/boxes.js';
import { detach } from '../../model/ops/detach.js';
import { dataTensor, isRecording } from '../../model/recording/data-tensor.js';
import type { LayerOutput } from '../../model/rlip-v2.js';
import { focalLoss, qualityFocalLoss } from './focal-loss.js';
import { matchPairs } from './match-pairs.js';
import { type Matches, type PairTargets, pairCount } from './pair-targets.js';

/** Weight of the label "no objects" in the cross-entropy. */
const NO_OBJECT_WEIGHT = 0.1;

/** Every number of a padding row's box: a box that has an area, so that its IoU is a number. */
const PADDING_BOX = 0.5;

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
  /** Names the targets in a recorded step; layers with the same matches share it. Default `targets`. */
  readonly name?: string;
}

/** The matched queries of a batch with their targets. */
interface MatchedPairs {
  /** Indices into `[images · queries]`. */
  readonly rows: tf.Tensor1D;
  /** The same indices in main memory, to avoid reading them back from the backend. */
  readonly rowIndices: Int32Array;
  /** Number of matched queries, and of rows with padding. */
  readonly count: number;
  readonly rowCount: number;
  /** 1 for matched queries, 0 for padding, `[rows]`; null if nothing is padding. */
  readonly valid: tf.Tensor1D | null;
  readonly name: string;
  readonly subjectBoxes: tf.Tensor2D;
  readonly objectBoxes: tf.Tensor2D;
  readonly subjectLabels: Int32Array;
  readonly objectLabels: Int32Array;
  /** `[rows, relations]` */
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
  const matched = gatherMatched(
    targets,
    matches,
    queries,
    output.relationLogits.shape[2],
    options.pseudoLabels,
    options.name ?? 'targets',
  );
  const subject = boxLosses(output.subjectBoxes, matched.rows, matched.subjectBoxes);
  const object = boxLosses(output.objectBoxes, matched.rows, matched.objectBoxes);
  // An absent object has a box of zeros, and no box loss.
  const hasBox = tf.cast(tf.any(tf.notEqual(matched.objectBoxes, 0), 1), 'float32');
  const isPresent = withoutPadding(hasBox, matched);
  const pairs = numberOf(`${matched.name}.count`, Math.max(1, matched.count));
  const averageOverPresent = (losses: tf.Tensor1D) =>
    tf.div(tf.sum(tf.mul(losses, isPresent)), tf.add(tf.sum(isPresent), 1e-4)) as tf.Scalar;
  return {
    labels: tf.add(
      labelLoss(output.objectLogits, matched, 'objectLabels', givenPairs),
      labelLoss(output.subjectLogits, matched, 'subjectLabels', givenPairs),
    ),
    relations: relationLoss(output.relationLogits, matched, subject.giou, object.giou, options),
    subjectBoxes: tf.div(tf.sum(withoutPadding(subject.distance, matched)), pairs),
    objectBoxes: averageOverPresent(object.distance),
    subjectGiou: tf.div(tf.sum(withoutPadding(tf.sub(1, subject.giou), matched)), pairs),
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

/** Sets the values of padding to 0. */
const withoutPadding = (values: tf.Tensor, { valid }: MatchedPairs): tf.Tensor =>
  valid ? tf.mul(values, tf.reshape(valid, [-1, ...values.shape.slice(1).map(() => 1)])) : values;

/** A number that depends on the data, see `dataTensor`. */
const numberOf = (name: string, value: number): tf.Scalar | number =>
  isRecording() ? dataTensor<tf.Scalar>(name, Float32Array.of(value), []) : value;

const identityMatches = (target: PairTargets): Matches => ({
  queries: Int32Array.from({ length: pairCount(target) }, (_, k) => k),
});

/**
 * Concatenates the targets of all images, with the rows of the queries that they are matched with. A recorded step has a
 * row for each query, since the number of targets changes from batch to batch.
 */
function gatherMatched(
  targets: readonly PairTargets[],
  matches: readonly Matches[],
  queries: number,
  relations: number,
  pseudoLabels: readonly Float32Array[] | undefined,
  name: string,
): MatchedPairs {
  const counts = targets.map(pairCount);
  const count = counts.reduce((sum, size) => sum + size, 0);
  const rowCount = isRecording() ? targets.length * queries : count;
  const rows = new Int32Array(rowCount);
  const relationTargets = new Float32Array(rowCount * relations);
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
  const boxes = (side: 'subjectBoxes' | 'objectBoxes') => {
    const values = new Float32Array(4 * rowCount).fill(PADDING_BOX, 4 * count);
    values.set(concatenated(targets.map((target) => target[side])));
    return dataTensor<tf.Tensor2D>(`${name}.${side}`, values, [rowCount, 4]);
  };
  const labels = (side: 'subjectLabels' | 'objectLabels') => {
    const values = new Int32Array(rowCount);
    values.set(targets.flatMap((target) => [...target[side]]));
    return values;
  };
  return {
    rows: dataTensor(`${name}.rows`, rows, [rowCount]),
    rowIndices: rows.subarray(0, count),
    count,
    rowCount,
    valid: isRecording() ? dataTensor(`${name}.valid`, new Float32Array(rowCount).fill(1, 0, count), [rowCount]) : null,
    name,
    subjectBoxes: boxes('subjectBoxes'),
    objectBoxes: boxes('objectBoxes'),
    subjectLabels: labels('subjectLabels'),
    objectLabels: labels('objectLabels'),
    relations: dataTensor(`${name}.relations`, relationTargets, [rowCount, relations]),
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
  matched: MatchedPairs,
  side: 'subjectLabels' | 'objectLabels',
  givenPairs: boolean,
): tf.Scalar {
  const [images, queries, labels] = logits.shape;
  const all = tf.reshape(logits, [images * queries, labels]);
  let scores: tf.Tensor = all;
  const { rows, rowIndices, count, name } = matched;
  let classes = matched[side];
  if (givenPairs) scores = tf.gather(all, rows);
  else {
    classes = new Int32Array(images * queries).fill(labels - 1);
    for (const [k, row] of rowIndices.entries()) classes[row] = matched[side][k]!;
  }
  if (classes.length === 0) return tf.scalar(0);
  const weights = Float32Array.from(classes, (label, k) => {
    if (givenPairs && k >= count) return 0;
    return label === labels - 1 ? NO_OBJECT_WEIGHT : 1;
  });
  const sum = weights.reduce((before, weight) => before + weight, 0);
  const total = numberOf(`${name}.${side}.total`, sum === 0 ? 1 : sum);
  const oneHot = tf.oneHot(dataTensor<tf.Tensor1D>(`${name}.${side}`, classes, [classes.length]), labels);
  const weighted = tf.mul(oneHot, tf.expandDims(dataTensor(`${name}.${side}.weights`, weights, [weights.length]), 1));
  return tf.div(tf.neg(tf.sum(tf.mul(tf.logSoftmax(scores), weighted))), total) as tf.Scalar;
}

function relationLoss(
  logits: tf.Tensor3D,
  matched: MatchedPairs,
  subjectGiou: tf.Tensor1D,
  objectGiou: tf.Tensor1D,
  { givenPairs, qualityLabels }: PairLossOptions,
): tf.Scalar {
  const [images, queries, count] = logits.shape;
  const { rows, relations, valid } = matched;
  if (givenPairs && !qualityLabels) return focalLoss(gatherRows(logits, rows), relations, valid);
  const quality = tf.div(tf.add(tf.minimum(detach(subjectGiou), detach(objectGiou)), 1), 2);
  const targets = qualityLabels ? tf.mul(relations, tf.expandDims(quality, 1)) : relations;
  // Queries without a target have targets of zeros.
  const all = tf.unsortedSegmentSum(targets, rows, images * queries); // [images · queries, relations]
  const scores = tf.reshape(logits, [images * queries, count]);
  return qualityLabels ? qualityFocalLoss(scores, all) : focalLoss(scores, all);
}
