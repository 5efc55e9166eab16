import type { Box } from '../../records/box.js';
import { type Corners, cornersOf } from '../../records/corners.js';

/**
 * Returns the corners of a box in millionths of a pixel, so that a box that is written as corners, read as sides and written
 * again is the same.
 */
export function roundedCorners(box: Box): Corners {
  return cornersOf(box).map(millionths) as unknown as Corners;
}

/** Returns the area of a box in whole square pixels, from its rounded corners. */
export function roundedArea(box: Box): number {
  const [x1, y1, x2, y2] = roundedCorners(box);
  return Math.round(millionths(x2 - x1) * millionths(y2 - y1));
}

/** Rounds to millionths. */
export const millionths = (value: number): number => Math.round(value * 1e6) / 1e6;
