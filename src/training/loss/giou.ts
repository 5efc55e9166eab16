/** Returns the generalized intersection over union of two boxes, cx, cy, w and h. */
export function giou(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const side = (axis: 0 | 1) => {
    const low = Math.max(a[axis]! - a[axis + 2]! / 2, b[axis]! - b[axis + 2]! / 2);
    const high = Math.min(a[axis]! + a[axis + 2]! / 2, b[axis]! + b[axis + 2]! / 2);
    const start = Math.min(a[axis]! - a[axis + 2]! / 2, b[axis]! - b[axis + 2]! / 2);
    const end = Math.max(a[axis]! + a[axis + 2]! / 2, b[axis]! + b[axis + 2]! / 2);
    return { overlap: Math.max(0, high - low), hull: Math.max(0, end - start) };
  };
  const [x, y] = [side(0), side(1)];
  const intersection = x.overlap * y.overlap;
  const union = a[2]! * a[3]! + b[2]! * b[3]! - intersection;
  const hull = x.hull * y.hull;
  return intersection / union - (hull - union) / hull;
}
