type Box = readonly [x: number, y: number, width: number, height: number];

/**
 * Returns the largest part of a picture with a given shape, moved so that it holds the boxes as far as possible: a tile shows
 * what it speaks of.
 *
 * @param shape width divided by height
 * @returns `[x, y, width, height]` in pixels of the picture
 */
export function cropTo(width: number, height: number, shape: number, boxes: readonly Box[]): Box {
  const isWide = width / height > shape;
  const [w, h] = isWide ? [height * shape, height] : [width, width / shape];
  const start = (size: number, part: number, axis: 0 | 1): number => {
    if (boxes.length === 0 || part >= size) return (size - part) / 2;
    const low = Math.min(...boxes.map((box) => box[axis]));
    const high = Math.max(...boxes.map((box) => box[axis] + box[axis === 0 ? 2 : 3]));
    // The middle of the picture, unless that cuts a box off.
    const most = Math.max(0, Math.min(low, size - part));
    const least = Math.min(size - part, Math.max(0, high - part));
    if (high - low > part) return Math.min(size - part, Math.max(0, (low + high - part) / 2));
    return Math.min(most, Math.max(least, (size - part) / 2));
  };
  return [start(width, w, 0), start(height, h, 1), w, h];
}
