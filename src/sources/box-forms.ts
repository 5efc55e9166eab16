import type { Box } from '../records/box.js';

/**
 * How the boxes of an image are written: in pixels; as fractions of the image's width and height; or as fractions that
 * are not `[x, y, w, h]`, since some box would end outside the image.
 */
export type BoxUnit = 'pixels' | 'fractions' | 'other-fractions';

/** Rounding that is accepted in boxes of fractions. */
const tolerance = 0.001;

/** Images of fewer pixels on a side may have boxes in pixels of this size. */
const leastSide = 8;

/**
 * Returns how the boxes of an image are written. They are fractions if no number exceeds 1 and some number is not whole:
 * as pixels, all boxes would lie within the first pixel of the image.
 * @param boxes four finite numbers each
 */
export function boxUnit(boxes: Iterable<Box>, image: { readonly width: number; readonly height: number }): BoxUnit {
  if (image.width < leastSide || image.height < leastSide) return 'pixels';
  let hasFraction = false;
  let inside = true;
  for (const box of boxes) {
    for (const number of box) {
      if (number < -tolerance || number > 1 + tolerance) return 'pixels';
      if (!Number.isInteger(number)) hasFraction = true;
    }
    if (box[0] + box[2] > 1 + 2 * tolerance || box[1] + box[3] > 1 + 2 * tolerance) inside = false;
  }
  if (!hasFraction) return 'pixels';
  return inside ? 'fractions' : 'other-fractions';
}

/** Returns a box of fractions in pixels. */
export function scaleBox(box: Box, { width, height }: { readonly width: number; readonly height: number }): Box {
  return [box[0] * width, box[1] * height, box[2] * width, box[3] * height];
}

/** Returns whether a value is four finite numbers. */
export function isBox(box: unknown): box is Box {
  return Array.isArray(box) && box.length === 4 && box.every(Number.isFinite);
}

/** Returns the box that four numbers written as texts stand for, such as `["100", "50", 80, 200]`; else undefined. */
export function boxFromText(box: unknown): Box | undefined {
  if (!Array.isArray(box) || box.length !== 4) return undefined;
  const numbers = box.map((side) => (typeof side === 'string' && side.trim() !== '' ? Number(side) : side));
  return isBox(numbers) ? numbers : undefined;
}
