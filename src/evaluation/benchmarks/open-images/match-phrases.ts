import type { Corners } from '../../../records/corners.js';
import { MIN_IOU } from '../match-relations.js';
import { strictPixelIou } from '../pixel-geometry.js';

/** A relation as one box, the union of its subject's and its object's. */
export interface Phrase {
  readonly phrase: Corners;
  /** Number of the triplet class. */
  readonly triplet: number;
}

/** A predicted phrase. */
export interface ScoredPhrase extends Phrase {
  readonly score: number;
}

/**
 * Matches the predicted phrases of an image with its true ones: right if the class is equal and the IoU is 0.5 or more. The true
 * phrase with the greatest IoU is the candidate; the prediction is wrong if that one was found before.
 *
 * @param predictions as suppression leaves them, grouped by class
 * @param isMistaken true: looks up overlaps as RLIPv2 does. It computes them in the order of `predictions` and then reads them by the
 * places of the phrases when sorted by score, so that a phrase gets the overlaps of another one, whose class may differ.
 * @returns the predictions, the highest score first, and whether each is right
 *
 * Source: RLIPv2, datasets/oi_sgg_eval.py, lines 183 and 384-405.
 */
export function matchPhrases<P extends ScoredPhrase>(
  predictions: readonly P[],
  truths: readonly Phrase[],
  isMistaken: boolean,
): { readonly phrase: P; readonly isRight: boolean }[] {
  const sorted = [...predictions].sort((a, b) => b.score - a.score);
  const looked = isMistaken ? predictions : sorted;
  const found = new Set<number>();
  return sorted.map((phrase, place) => {
    const { phrase: box, triplet } = looked[place]!;
    let [best, candidate] = [0, -1];
    for (const [k, truth] of truths.entries()) {
      const overlap = truth.triplet === triplet ? strictPixelIou(truth.phrase, box) : 0;
      if (overlap >= MIN_IOU && overlap > best) [best, candidate] = [overlap, k];
    }
    const isRight = candidate >= 0 && !found.has(candidate);
    if (isRight) found.add(candidate);
    return { phrase, isRight };
  });
}
