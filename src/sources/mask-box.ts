import { fieldsOf } from '../files/json/json-value.js';
import type { Box } from '../records/box.js';

/**
 * Returns the bounding box of a value of `segmentation`, in pixels: the bounds of all polygons, or the pixels that a
 * run-length encoding covers. Null if the value is neither, or is empty.
 *
 * Polygons are lists `[x, y, x, y, …]`, or lists of points `[x, y]`.
 * Source: the COCO data format, https://cocodataset.org/#format-data
 */
export function maskBox(segmentation: unknown): Box | null {
  if (Array.isArray(segmentation)) return polygonBox(segmentation);
  const { size, counts } = fieldsOf(segmentation);
  if (!Array.isArray(size) || !Number.isSafeInteger(size[0]) || !Number.isSafeInteger(size[1])) return null;
  const runs = typeof counts === 'string' ? decodeRuns(counts) : counts;
  return Array.isArray(runs) ? runsBox(runs, size[0], size[1]) : null;
}

/** The deepest nesting of lists that is read: polygons of points of numbers. */
const maxDepth = 3;

function polygonBox(polygons: readonly unknown[]): Box | null {
  const bounds = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  const add = (list: readonly unknown[], depth: number): boolean => {
    if (typeof list[0] !== 'number')
      return depth < maxDepth && list.every((part) => Array.isArray(part) && add(part, depth + 1));
    if (list.length % 2 !== 0 || !list.every(Number.isFinite)) return false;
    for (let k = 0; k < list.length; k += 2) {
      const [x, y] = [list[k] as number, list[k + 1] as number];
      bounds.x0 = Math.min(bounds.x0, x);
      bounds.y0 = Math.min(bounds.y0, y);
      bounds.x1 = Math.max(bounds.x1, x);
      bounds.y1 = Math.max(bounds.y1, y);
    }
    return true;
  };
  const { x0, y0, x1, y1 } = add(polygons, 1) ? bounds : { x0: 0, y0: 0, x1: -1, y1: -1 };
  return x1 >= x0 ? [x0, y0, x1 - x0, y1 - y0] : null;
}

/** Returns the box of runs of pixels outside and inside the mask in turn, counted down the columns of the image. */
function runsBox(runs: readonly unknown[], height: number, width: number): Box | null {
  let [x0, y0, x1, y1] = [width, height, 0, 0];
  let at = 0;
  for (const [index, run] of runs.entries()) {
    if (!Number.isSafeInteger(run) || (run as number) < 0) return null;
    const end = at + (run as number);
    if (end > width * height) return null;
    if (index % 2 === 1 && end > at) {
      const [first, last] = [Math.floor(at / height), Math.floor((end - 1) / height)];
      x0 = Math.min(x0, first);
      x1 = Math.max(x1, last + 1);
      // A run that goes on in the next column reaches the bottom of one and the top of the other.
      y0 = Math.min(y0, first === last ? at % height : 0);
      y1 = Math.max(y1, first === last ? ((end - 1) % height) + 1 : height);
    }
    at = end;
  }
  return x1 > x0 ? [x0, y0, x1 - x0, y1 - y0] : null;
}

/**
 * Decodes a compressed run-length encoding; null if it is malformed. A character holds 5 bits of a number, the lowest
 * first, and whether more follow; from the fourth number on it is the difference to the number two before.
 * Source: pycocotools, common/maskApi.c, `rleFrString`.
 */
function decodeRuns(text: string): number[] | null {
  const runs: number[] = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let more = true;
    for (let shift = 0; more; shift += 5) {
      const code = text.charCodeAt(at++) - 48;
      // Also false for NaN, the code after the end of the text.
      if (!(code >= 0 && code < 64) || shift > 30) return null;
      value |= (code & 0x1f) << shift;
      more = (code & 0x20) !== 0;
      if (!more && code & 0x10 && shift < 25) value |= -1 << (shift + 5);
    }
    runs.push(runs.length > 2 ? value + runs[runs.length - 2]! : value);
  }
  return runs;
}
