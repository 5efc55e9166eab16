import type { Box } from './box.js';
import { Type } from './type.js';

/**
 * A box `[x1, y1, x2, y2]` in pixels of the image: its top left and bottom right corners (`xyxy`). The benchmarks'
 * evaluators compute with these numbers as written, so that a box of exactly half an overlap stays one.
 */
export type Corners = readonly [x1: number, y1: number, x2: number, y2: number];

export const CornersSchema = Type.Unsafe<Corners>({
  type: 'array',
  description: '[x1, y1, x2, y2] in pixels: the top left and the bottom right corner',
  items: { type: 'number' },
  minItems: 4,
  maxItems: 4,
});

/** Returns whether a value is four finite numbers. */
export const isCorners = (value: unknown): value is Corners =>
  Array.isArray(value) && value.length === 4 && value.every(Number.isFinite);

/** Returns the box `[x, y, w, h]` of two corners. */
export const boxOfCorners = ([x1, y1, x2, y2]: Corners): Box => [x1, y1, x2 - x1, y2 - y1];

/** Returns the corners of a box `[x, y, w, h]`. */
export const cornersOf = ([x, y, w, h]: Box): Corners => [x, y, x + w, y + h];
