import type { Corners } from '../../records/corners.js';
import type { HoiImage } from '../../sources/hoi-file.js';

/** A true relation of an image whose boxes a prediction must fit. */
export interface TrueRelation<Object extends MatchedObject = MatchedObject> {
  readonly subject: Object;
  /** Null if the relation has no object: then only the subject counts. */
  readonly object: Object | null;
  readonly predicate: number;
}

/** A box with its category. */
export interface MatchedObject {
  readonly box: Corners;
  readonly category: number;
}

/** A prediction to match. */
export interface PredictedRelation {
  readonly subject: MatchedObject;
  readonly object: MatchedObject | null;
  readonly predicate: number;
}

/** Why a prediction is right or wrong. */
export type MatchOutcome = 'right' | 'found-already' | 'no-match';

/**
 * Matches the predictions of an image with its true relations. Of the relations with the same predicate whose boxes both fit
 * (equal categories, IoU of 0.5 or more), the one with the greatest smaller IoU is the candidate, the first among equals, so that of equal annotations only the first can be found. The
 * prediction is wrong if that one was found before, even if another one that fits is free.
 *
 * Source: RLIPv2, datasets/hico_eval.py, `compute_fptp`; datasets/vcoco_eval.py for relations without an object.
 *
 * @param predictions the highest score first
 * @param overlap the IoU of two boxes
 */
export function matchRelations(
  predictions: readonly PredictedRelation[],
  truths: readonly TrueRelation[],
  overlap: (a: Corners, b: Corners) => number,
): MatchOutcome[] {
  const found = new Set<number>();
  const iou = (a: MatchedObject, b: MatchedObject | null) =>
    b !== null && a.category === b.category ? overlap(a.box, b.box) : 0;
  return predictions.map(({ subject, object, predicate }) => {
    let [best, candidate] = [0, -1];
    for (const [k, truth] of truths.entries()) {
      if (truth.predicate !== predicate) continue;
      const ofSubject = iou(truth.subject, subject);
      if (ofSubject < MIN_IOU) continue;
      const ofObject = truth.object === null ? Number.POSITIVE_INFINITY : iou(truth.object, object);
      if (ofObject < MIN_IOU) continue;
      const smaller = Math.min(ofSubject, ofObject);
      if (smaller > best) [best, candidate] = [smaller, k];
    }
    if (candidate < 0) return 'no-match';
    if (found.has(candidate)) return 'found-already';
    found.add(candidate);
    return 'right';
  });
}

/** Minimum IoU of boxes that fit; exactly 0.5 does. */
export const MIN_IOU = 0.5;

/** Returns the interactions of an image as true relations. */
export function trueRelations({ objects, interactions }: HoiImage): TrueRelation[] {
  return interactions.map(({ subject, object, verb }) => {
    const end = object === null ? null : objects[object]!;
    return { subject: objects[subject]!, object: end, predicate: verb };
  });
}
