import { intersection, relativeGap } from '../records/box.js';
import type { Detection, Image } from '../records/image.js';

/** Bounds of the pairs of an image. */
export interface NearbyPairsOptions {
  /** The maximum number of pairs. */
  readonly maxPairs: number;
  /** The maximum number of pairs of one box. */
  readonly pairsPerBox: number;
}

/** The widest gap between two boxes, in units of the mean of their sides. */
const REACH = 1;
/** Boxes below this share of the image's area are left out. */
const SMALLEST_SHARE = 0.001;
/** Of more boxes the largest are compared. */
const MOST_BOXES = 400;

/**
 * Returns the unordered pairs of boxes that are close to each other, the closest in relation to their size first. Tiny boxes take
 * no part, and no box has more than its share, so that crowds do not fill the list.
 */
export function nearbyPairs(
  { width, height }: Image,
  detections: readonly Detection[],
  { maxPairs, pairsPerBox }: NearbyPairsOptions,
): [number, number][] {
  const areas = detections.map(({ box: [, , w, h] }) => w * h);
  const large = [...detections.keys()]
    .filter((index) => areas[index]! >= SMALLEST_SHARE * width * height)
    .sort((a, b) => areas[b]! - areas[a]!)
    .slice(0, MOST_BOXES)
    .sort((a, b) => a - b);
  const close: { first: number; second: number; distance: number }[] = [];
  for (const [place, first] of large.entries())
    for (const second of large.slice(place + 1)) {
      const [a, b] = [detections[first]!.box, detections[second]!.box];
      const gap = relativeGap(a, b);
      // Boxes that overlap are closer the more they do.
      const overlap = intersection(a, b) / Math.min(areas[first]!, areas[second]!);
      if (gap <= REACH) close.push({ first, second, distance: gap - overlap });
    }
  // Sorting keeps the order of equal distances.
  close.sort((a, b) => a.distance - b.distance);
  const pairsOf = new Map<number, number>();
  const used = (index: number) => pairsOf.get(index) ?? 0;
  const pairs: [number, number][] = [];
  for (const { first, second } of close) {
    if (pairs.length === maxPairs) break;
    if (used(first) >= pairsPerBox || used(second) >= pairsPerBox) continue;
    for (const index of [first, second]) pairsOf.set(index, used(index) + 1);
    pairs.push([first, second]);
  }
  return pairs;
}
