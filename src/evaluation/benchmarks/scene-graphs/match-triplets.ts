import { MIN_IOU } from '../match-relations.js';
import { exactIou, pixelIou } from '../pixel-geometry.js';
import type { GraphImage } from './graph-truth.js';

/** A predicted relation of two objects of the image's predictions. */
export interface PredictedTriplet {
  readonly subject: number;
  readonly object: number;
  readonly predicate: number;
}

/**
 * Returns the rank of the first prediction that finds each true relation, infinite where none does. A prediction finds every true
 * relation with the same three names whose boxes both overlap with an IoU of 0.5 or more, equal ones too.
 *
 * Source: Scene-Graph-Benchmark.pytorch (commit 6f75881), sgg_eval.py, `_compute_pred_matches`.
 *
 * @param predictions the first rank first
 * @param extraPixel whether boxes include the pixel at their end
 */
export function firstRanks(
  predictions: readonly PredictedTriplet[],
  objects: GraphImage['objects'],
  truth: Pick<GraphImage, 'objects' | 'relations'>,
  extraPixel: boolean,
): Float64Array {
  const iou = extraPixel ? pixelIou : exactIou;
  const ranks = new Float64Array(truth.relations.length).fill(Number.POSITIVE_INFINITY);
  for (const [rank, { subject, object, predicate }] of predictions.entries())
    for (const [k, relation] of truth.relations.entries()) {
      if (ranks[k]! <= rank || relation.predicate !== predicate) continue;
      const fits = (from: number, to: number) =>
        objects[from]!.label === truth.objects[to]!.label && iou(objects[from]!.box, truth.objects[to]!.box) >= MIN_IOU;
      if (fits(subject, relation.subject) && fits(object, relation.object)) ranks[k] = rank;
    }
  return ranks;
}
