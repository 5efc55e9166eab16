import type { Box } from '../records/box.js';

/** Returns the bounding box `[x, y, w, h]` of points `[x, y]`; null if they are none, or not all finite numbers. */
export function pointsBox(points: readonly (readonly unknown[])[]): Box | null {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) return null;
    x0 = Math.min(x0, x as number);
    y0 = Math.min(y0, y as number);
    x1 = Math.max(x1, x as number);
    y1 = Math.max(y1, y as number);
  }
  return x1 >= x0 ? [x0, y0, x1 - x0, y1 - y0] : null;
}
