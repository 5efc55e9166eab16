import type { Corners } from '../../records/corners.js';
import { pixelIou } from './pixel-geometry.js';

/** A pair of boxes of one triplet class. */
export interface SuppressiblePair {
  readonly subject: { readonly box: Corners };
  readonly object: { readonly box: Corners };
  /** Number of the triplet class; only pairs of one class suppress each other. */
  readonly triplet: number;
}

/** Threshold of `suppressPairs`. Source: RLIPv2, main.py, `--thres_nms`. */
const PAIR_THRESHOLD = 0.7;
/** Threshold of `suppressPhrases`. Source: RLIPv2, main.py, `--thres_nms_phr`. */
const PHRASE_THRESHOLD = 0.5;

/**
 * Drops the pairs of an image that overlap one of the same triplet class with a higher score: IoU(subjects) · √IoU(objects) is
 * above 0.7.
 *
 * Source: RLIPv2, datasets/hico_eval.py, `pairwise_nms` with α = 1 and β = 0.5.
 *
 * @param pairs the highest score first
 * @returns the pairs that remain, grouped by class in the order in which the classes first occur, as the official code has them
 */
export const suppressPairs = <P extends SuppressiblePair>(pairs: readonly P[]): P[] =>
  suppress(
    pairs,
    ({ subject, object }, kept) =>
      pixelIou(kept.subject.box, subject.box) * Math.sqrt(pixelIou(kept.object.box, object.box)) > PAIR_THRESHOLD,
  );

/**
 * Drops phrases that overlap one of the same class with a higher score by an IoU above 0.5.
 * @param phrases the highest score first within each class
 * @returns the phrases that remain, grouped by class
 */
export const suppressPhrases = <P extends { readonly phrase: Corners; readonly triplet: number }>(
  phrases: readonly P[],
): P[] => suppress(phrases, ({ phrase }, kept) => pixelIou(kept.phrase, phrase) > PHRASE_THRESHOLD);

function suppress<P extends { readonly triplet: number }>(
  items: readonly P[],
  overlaps: (item: P, kept: P) => boolean,
): P[] {
  const byClass = new Map<number, P[]>();
  for (const item of items) {
    const kept = byClass.get(item.triplet);
    if (!kept) byClass.set(item.triplet, [item]);
    else if (!kept.some((other) => overlaps(item, other))) kept.push(item);
  }
  return [...byClass.values()].flat();
}
