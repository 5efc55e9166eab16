import { iou } from '../../records/box.js';
import { boxOfCorners, type Corners } from '../../records/corners.js';

/** Returns the area of a box in the official evaluators' pixels: a box from 0 to 9 is 10 pixels wide. */
const pixelArea = (box: Corners): number => (box[2] - box[0] + 1) * (box[3] - box[1] + 1);

/** Returns the IoU of two boxes with the extra pixel; boxes that only touch overlap by a pixel. */
export function pixelIou(a: Corners, b: Corners): number {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]) + 1;
  const h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]) + 1;
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / (pixelArea(a) + pixelArea(b) - w * h);
}

/**
 * Returns the IoU of two boxes with the extra pixel, as `pixelIou`, but 0 unless they overlap by a positive length without it:
 * a box without width or height overlaps nothing, not even itself.
 *
 * Source: RLIPv2, datasets/hico_eval.py, `compute_IOU`.
 */
export const strictPixelIou = (a: Corners, b: Corners): number =>
  Math.max(a[0], b[0]) < Math.min(a[2], b[2]) && Math.max(a[1], b[1]) < Math.min(a[3], b[3]) ? pixelIou(a, b) : 0;

/** Returns the smallest box that contains two boxes. */
export const unionBox = (a: Corners, b: Corners): Corners => [
  Math.min(a[0], b[0]),
  Math.min(a[1], b[1]),
  Math.max(a[2], b[2]),
  Math.max(a[3], b[3]),
];

/** Returns the IoU of two boxes without the extra pixel. */
export const exactIou = (a: Corners, b: Corners): number => iou(boxOfCorners(a), boxOfCorners(b));
