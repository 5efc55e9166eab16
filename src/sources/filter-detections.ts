import { IdSet } from '../files/id-map.js';
import { formatJsonValue } from '../files/json/json-value.js';
import { seededHashOfBox } from '../files/seeded-hash.js';
import { type Box, clampBox } from '../records/box.js';
import type { Detection, Id, Image } from '../records/image.js';
import type { SourceReject } from '../records/ports.js';
import { boxFromText, boxUnit, isBox, scaleBox } from './box-forms.js';

/** An object as it is written in an annotation file. */
export interface RawDetection {
  readonly id: Id;
  /** Null if the file does not define the category id. */
  readonly category: string | null;
  /** Expected to be `[x, y, w, h]` in pixels, but unchecked. */
  readonly box: unknown;
  /** True for a region that covers many objects. */
  readonly crowd: boolean;
  readonly score?: number | undefined;
}

/** The result of filtering the raw detections of an image. */
export interface FilteredDetections {
  readonly detections: readonly Detection[];
  /** The index in `detections` of each raw detection, or -1. Duplicate boxes have the index of the box that is kept. */
  readonly kept: Int32Array;
  readonly rejects: readonly SourceReject[];
  /** Counts by name: `crowd`, `undefined-category`, `zero-area`, `clipped`, `outside-image`, `duplicate-box`, … */
  readonly counts: Readonly<Record<string, number>>;
  /** The distinct categories of all raw detections, in order of first appearance; only set in `compat` mode. */
  readonly rawCategories?: readonly string[];
}

/**
 * Filters the raw detections of an image, keeping their order. Each dropped detection is counted under the first of
 * these names that applies; `malformed-box` also is a reject, because it is an error of the file:
 *
 * 1. `malformed-box`: the box is not four finite numbers, or the boxes are fractions that are not `[x, y, w, h]`
 * 2. `crowd`
 * 3. `undefined-category`
 * 4. `zero-area`: the width or height is not above 0
 * 5. `outside-image`: the box is empty after clipping to the image; a box that clipping changes is counted as `clipped`
 * 6. `duplicate-box`: an earlier detection has the same category and, after clipping, the same box
 *
 * It also counts `far-beyond-image` (a clipped box that reached beyond the image by more than 2 % of its width or height: boxes
 * that are two corners do), `duplicate-annotation-id`, `score-out-of-range`, for which the score is omitted, `box-as-text`, four
 * numbers that are written as texts, and `relative-box`: if all boxes of an image are fractions of its width and height,
 * they are scaled to pixels, see `boxUnit`.
 *
 * @param compat behaves as RLIPv2: duplicate boxes are kept, boxes as texts or fractions are not recognized, and
 * `rawCategories` is set. Source: RLIPv2,
 * datasets/coco.py, `ConvertCocoPolysToMask`, and datasets/rlipv2_helper/BLIP_coco_caption_helper.py.
 * @param keepDuplicates keeps duplicate boxes
 */
export function filterDetections(
  raw: readonly RawDetection[],
  image: Image,
  compat: boolean,
  keepDuplicates: boolean = compat,
): FilteredDetections {
  const detections: Detection[] = [];
  const kept = new Int32Array(raw.length).fill(-1);
  const rejects: SourceReject[] = [];
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const isSmall = raw.length <= smallImage;
  const ids = isSmall ? new Set<Id>() : new IdSet();
  const seen = new DetectionIndex(detections, isSmall);

  const unit = compat || isInPixels(raw[0]?.box) ? 'pixels' : boxUnit(readableBoxes(raw), image);

  for (const [index, { id, category, box: written, crowd, score }] of raw.entries()) {
    if (ids.has(id)) count('duplicate-annotation-id');
    else ids.add(id);
    const found = isBox(written) ? written : compat ? undefined : boxFromText(written);
    if (!found || unit === 'other-fractions') {
      count('malformed-box');
      rejects.push(malformedBox(id, written, found !== undefined, image.id));
      continue;
    }
    if (found !== written) count('box-as-text');
    if (unit === 'fractions') count('relative-box');
    const box = unit === 'fractions' ? scaleBox(found, image) : found;
    if (crowd) count('crowd');
    else if (category === null) count('undefined-category');
    else if (box[2] <= 0 || box[3] <= 0) count('zero-area');
    else {
      const clipped = clampBox(box, image.width, image.height);
      if (clipped[2] <= 0 || clipped[3] <= 0) {
        count('outside-image');
        continue;
      }
      const same = keepDuplicates ? undefined : seen.find(category, clipped);
      if (same !== undefined) {
        count('duplicate-box');
        kept[index] = same;
        continue;
      }
      if (clipped !== box) {
        count('clipped');
        if (isFarBeyond(box, image)) count('far-beyond-image');
      }
      if (!keepDuplicates) seen.add(category, clipped);
      kept[index] = detections.length;
      const detection = { id, category, box: clipped };
      if (score === undefined) detections.push(detection);
      else if (score >= 0 && score <= 1) detections.push({ ...detection, score });
      else {
        count('score-out-of-range');
        detections.push(detection);
      }
    }
  }
  const filtered = { detections, kept, rejects, counts };
  return compat ? { ...filtered, rawCategories: distinctCategories(raw) } : filtered;
}

/** The share of the width or height by which a box may reach beyond its image, by rounding or a careless hand. */
const farShare = 0.02;

function isFarBeyond([x, y, w, h]: Box, { width, height }: Image): boolean {
  const beyond = (start: number, length: number, side: number) =>
    Math.max(-start, start + length - side) > farShare * side;
  return beyond(x, w, width) || beyond(y, h, height);
}

/**
 * The number of detections up to which hashes need no seed: even if all collide, few comparisons are made. Nearly all
 * images have fewer, and hashes without a seed are faster.
 */
const smallImage = 256;

/** Looks up detections by category and box. Keys are numbers, because building strings would dominate the run time. */
class DetectionIndex {
  readonly #detections: readonly Detection[];
  readonly #isSmall: boolean;
  /** The last detection with each key. */
  readonly #last = new Map<number, number>();
  /** An ordinal of each category that was looked up. */
  readonly #categories = new Map<string, number>();
  /** For each detection, the previous detection with the same key, or -1. */
  readonly #before: number[] = [];

  constructor(detections: readonly Detection[], isSmall: boolean) {
    this.#detections = detections;
    this.#isSmall = isSmall;
  }

  find(category: string, box: Box): number | undefined {
    for (let index = this.#last.get(this.#keyOf(category, box)) ?? -1; index >= 0; index = this.#before[index]!) {
      const { category: other, box: at } = this.#detections[index]!;
      if (other === category && box.every((side, k) => side === at[k])) return index;
    }
    return undefined;
  }

  /** Adds the next detection. */
  add(category: string, box: Box): void {
    const key = this.#keyOf(category, box);
    this.#before.push(this.#last.get(key) ?? -1);
    this.#last.set(key, this.#before.length - 1);
  }

  /** Returns a hash that is equal for equal detections and rarely for others, in large images of any file. */
  #keyOf(category: string, box: Box): number {
    if (this.#isSmall) return box[0] + box[1] * 7919 + box[2] * 104_729 + box[3] * 1_299_709;
    let ordinal = this.#categories.get(category);
    if (ordinal === undefined) {
      ordinal = this.#categories.size;
      this.#categories.set(category, ordinal);
    }
    return seededHashOfBox(ordinal, box);
  }
}

/** Returns whether a box reaches beyond the first pixel, so that the boxes of its image are not fractions. */
function isInPixels(box: unknown): boolean {
  return isBox(box) && (box[0] > 2 || box[1] > 2 || box[2] > 2 || box[3] > 2);
}

/** Yields the boxes that are four numbers or can be read as such. */
function* readableBoxes(raw: readonly RawDetection[]): Generator<Box> {
  for (const { box: written } of raw) {
    const box = isBox(written) ? written : boxFromText(written);
    if (box) yield box;
  }
}

function malformedBox(id: Id, box: unknown, isFraction: boolean, image: Id): SourceReject {
  const expected = isFraction ? 'pixels, or fractions [x, y, w, h] within the image' : 'four finite numbers';
  return {
    reason: 'malformed-box',
    message: `annotation ${id}: the box is ${formatJsonValue(box)}, expected ${expected}`,
    image,
    detail: { annotation: id },
  };
}

function distinctCategories(raw: readonly RawDetection[]): string[] {
  return [...new Set(raw.flatMap(({ category }) => category ?? []))];
}
