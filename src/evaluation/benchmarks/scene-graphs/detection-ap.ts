import type { Corners } from '../../../records/corners.js';
import { pixelIou } from '../pixel-geometry.js';

/** A box of an image with its class. */
export interface LabelledBox {
  readonly box: Corners;
  readonly label: number;
}

const RECALLS = Array.from({ length: 101 }, (_, k) => (k === 100 ? 1 : k * 0.01));
/** COCO's limit of detections of an image and class. */
const MOST = 100;

/**
 * Computes COCO's average precision of objects at IoU 0.5, with the extra pixel in widths, as the scene-graph benchmark prints it.
 * It numbers the true boxes from 0, and COCO's tools take the number 0 for no match: the detection that finds the first true box of
 * the first image counts as wrong.
 *
 * Source: Scene-Graph-Benchmark.pytorch (commit 6f75881), vg_eval.py; pycocotools, cocoeval.py.
 */
export class DetectionAp {
  readonly #classes = new Map<number, { positives: number; scored: { score: number; isRight: boolean }[] }>();

  /** @param isFirst whether the image is the first of the data set */
  add(
    truths: readonly LabelledBox[],
    found: readonly (LabelledBox & { readonly score: number })[],
    isFirst: boolean,
  ): void {
    const labels = new Set([...truths, ...found].map(({ label }) => label));
    for (const label of labels) {
      const of = this.#classes.get(label) ?? { positives: 0, scored: [] };
      this.#classes.set(label, of);
      const boxes = truths.flatMap((truth, number) => (truth.label === label ? [{ ...truth, number }] : []));
      of.positives += boxes.length;
      const taken = new Set<number>();
      const ranked = found.filter((box) => box.label === label).sort((a, b) => b.score - a.score);
      for (const { box, score } of ranked.slice(0, MOST)) {
        let [best, match] = [0.5, -1];
        for (const truth of boxes) {
          const overlap = taken.has(truth.number) ? 0 : pixelIou(truth.box, box);
          // The last among equals matches, as in COCO's tools.
          if (overlap >= best) [best, match] = [overlap, truth.number];
        }
        if (match >= 0) taken.add(match);
        of.scored.push({ score, isRight: match >= 0 && !(isFirst && match === 0) });
      }
    }
  }

  /** Returns the mean over the classes that have true boxes; null if there are none. */
  result(): number | null {
    const aps = [...this.#classes.values()].filter(({ positives }) => positives > 0).map(averagePrecision);
    return aps.length === 0 ? null : aps.reduce((sum, ap) => sum + ap, 0) / aps.length;
  }
}

function averagePrecision({
  positives,
  scored,
}: {
  readonly positives: number;
  readonly scored: readonly { readonly score: number; readonly isRight: boolean }[];
}): number {
  const ranked = [...scored].sort((a, b) => b.score - a.score);
  let right = 0;
  const points = ranked.map(({ isRight }, k) => {
    if (isRight) right++;
    return { recall: right / positives, precision: right / (k + 1) };
  });
  for (let k = points.length - 2; k >= 0; k--)
    points[k]!.precision = Math.max(points[k]!.precision, points[k + 1]!.precision);
  let [at, sum] = [0, 0];
  for (const recall of RECALLS) {
    while (at < points.length && points[at]!.recall < recall) at++;
    sum += points[at]?.precision ?? 0;
  }
  return sum / RECALLS.length;
}
