import { centerOf, contains, type Point, type Rectangle } from './rectangle.js';

/** An arrow from the box of a subject to the box of an object: a curve with one control point. */
export interface Arrow {
  readonly from: Point;
  readonly control: Point;
  readonly to: Point;
}

/** Length of an arrow's head, in pixels. */
const HEAD = 9;

/**
 * Returns the arrow between two boxes. It starts at the subject's center and ends at the edge of the object's box, or at its
 * center where one box holds the other's center or the line would be short.
 *
 * @param rank 0 for the first relation of this pair of boxes in either direction, 1 for the second…: each bends differently
 */
export function arrowBetween(subject: Rectangle, object: Rectangle, rank: number): Arrow {
  const from = centerOf(subject);
  const center = centerOf(object);
  const distance = Math.hypot(center.x - from.x, center.y - from.y);
  if (distance < 6) return loopAt(from, rank);
  const bend = Math.min(0.16 * distance, 46) + 22 * rank;
  const normal = { x: (center.y - from.y) / distance, y: (from.x - center.x) / distance };
  const control = {
    x: (from.x + center.x) / 2 + normal.x * bend,
    y: (from.y + center.y) / 2 + normal.y * bend,
  };
  const whole = { from, control, to: center };
  if (contains(object, from) || contains(subject, center)) return whole;
  // The end at the object's edge: the first point of the curve in the box.
  let [outside, inside] = [0, 1];
  for (let step = 0; step < 20; step++) {
    const middle = (outside + inside) / 2;
    if (contains(object, pointOn(whole, middle))) inside = middle;
    else outside = middle;
  }
  const cut = beginning(whole, inside);
  // Boxes that touch would have a head and no line.
  return Math.hypot(cut.to.x - from.x, cut.to.y - from.y) < Math.max(24, 0.3 * distance) ? whole : cut;
}

/** Returns the point at `t` in [0, 1] of an arrow. */
export function pointOn({ from, control, to }: Arrow, t: number): Point {
  const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
  return { x: a * from.x + b * control.x + c * to.x, y: a * from.y + b * control.y + c * to.y };
}

/** Returns the `d` of an SVG path for the curve. */
export function curvePath({ from, control, to }: Arrow): string {
  return `M${round(from.x)} ${round(from.y)}Q${round(control.x)} ${round(control.y)} ${round(to.x)} ${round(to.y)}`;
}

/** Returns the `d` of an SVG path for the head. */
export function headPath({ control, to }: Arrow): string {
  const angle = Math.atan2(to.y - control.y, to.x - control.x);
  const corner = (turn: number) =>
    `${round(to.x - HEAD * Math.cos(angle + turn))} ${round(to.y - HEAD * Math.sin(angle + turn))}`;
  return `M${round(to.x)} ${round(to.y)}L${corner(0.42)}L${corner(-0.42)}Z`;
}

/** Returns the part of a curve up to `t`, by de Casteljau's construction. */
function beginning(arrow: Arrow, t: number): Arrow {
  const { from, control } = arrow;
  const first = { x: from.x + t * (control.x - from.x), y: from.y + t * (control.y - from.y) };
  return { from, control: first, to: pointOn(arrow, t) };
}

/** A loop for a relation of an object with itself, or of two boxes with one center. */
function loopAt(center: Point, rank: number): Arrow {
  const size = 26 + 14 * rank;
  return {
    from: { x: center.x - size / 3, y: center.y },
    control: { x: center.x, y: center.y - 2 * size },
    to: { x: center.x + size / 3, y: center.y },
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;
