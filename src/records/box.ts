import { Type } from './type.js';

/** A box `[x, y, w, h]` in pixels of the image; `x` and `y` are the top left corner (`xywh`, COCO's format). */
export type Box = readonly [x: number, y: number, w: number, h: number];

export const BoxSchema = Type.Unsafe<Box>({
  type: 'array',
  description: '[x, y, w, h] in pixels; x and y are the top left corner',
  items: { type: 'number' },
  minItems: 4,
  maxItems: 4,
});

/** Returns the area of the intersection of two boxes, in square pixels; 0 if they do not overlap. */
export function intersection(a: Box, b: Box): number {
  const w = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  return w > 0 && h > 0 ? w * h : 0;
}

/**
 * Returns the intersection over union of two boxes, in [0, 1]; 0 if both boxes are empty.
 *
 * @example
 * ```ts
 * import { iou } from 'relflow';
 *
 * iou([0, 0, 10, 10], [5, 0, 10, 10]); // 50 / 150 = 0.333…
 * ```
 */
export function iou(a: Box, b: Box): number {
  const inner = intersection(a, b);
  const union = a[2] * a[3] + b[2] * b[3] - inner;
  return union > 0 ? inner / union : 0;
}

/**
 * Returns whether the interiors of two boxes overlap: |Δcx| < (w₁+w₂)/2 and |Δcy| < (h₁+h₂)/2, both strict. Boxes that
 * only share an edge do not overlap.
 * Source: RLIPv2, the `bbox_overlap` prior of datasets/rlipv2_helper/coco_caption_helper.py.
 */
export function overlaps(a: Box, b: Box): boolean {
  const dx = Math.abs(a[0] + a[2] / 2 - (b[0] + b[2] / 2));
  const dy = Math.abs(a[1] + a[3] / 2 - (b[1] + b[3] / 2));
  return dx < (a[2] + b[2]) / 2 && dy < (a[3] + b[3]) / 2;
}

/** Returns the gap between two boxes in units of the mean of their sides; 0 if they touch or overlap. */
export function relativeGap(a: Box, b: Box): number {
  const x = Math.max(0, Math.max(a[0], b[0]) - Math.min(a[0] + a[2], b[0] + b[2]));
  const y = Math.max(0, Math.max(a[1], b[1]) - Math.min(a[1] + a[3], b[1] + b[3]));
  const side = (Math.sqrt(a[2] * a[3]) + Math.sqrt(b[2] * b[3])) / 2;
  return side > 0 ? Math.hypot(x, y) / side : Number.POSITIVE_INFINITY;
}

/**
 * Clips a box to an image of `width` × `height` pixels. The result is empty (w or h is 0) if the box lies outside. The
 * numbers of an axis that needs no clipping stay as they are: x + w − x is not always w in floating point.
 */
export function clampBox(box: Box, width: number, height: number): Box {
  const x0 = Math.min(Math.max(box[0], 0), width);
  const y0 = Math.min(Math.max(box[1], 0), height);
  const x1 = Math.min(Math.max(box[0] + box[2], 0), width);
  const y1 = Math.min(Math.max(box[1] + box[3], 0), height);
  const keepsX = x0 === box[0] && x1 === box[0] + box[2];
  const keepsY = y0 === box[1] && y1 === box[1] + box[3];
  if (keepsX && keepsY) return box;
  return [x0, y0, keepsX ? box[2] : x1 - x0, keepsY ? box[3] : y1 - y0];
}
