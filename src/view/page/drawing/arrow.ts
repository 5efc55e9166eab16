import { areaOf, centerOf, contains, type Point, type Rectangle } from './rectangle.js';

/** An arrow from the box of a subject to the box of an object: a curve with one control point. */
export interface Arrow {
  readonly from: Point;
  readonly control: Point;
  readonly to: Point;
}

/** Length of an arrow's head, in pixels. */
const HEAD = 9;

/** A box with a shorter side below this, in pixels, is small: an arrow in it would cover what it shows. */
const SMALL = 80;
/** Length of the shortest line, in pixels, that a head does not hide. */
const SHORTEST = 24;

/**
 * Returns the arrow between two boxes. It starts at the subject's center and ends at the edge of the object's box, or at its
 * center where one box holds the other's center or the line would be short. Small boxes are left free: an arrow starts at the edge
 * of a small subject, comes from next to a small box within the other one, and goes around two of which no line fits in between.
 *
 * @param rank 0 for the first relation of this pair of boxes in either direction, 1 for the second…: each bends differently
 */
export function arrowBetween(subject: Rectangle, object: Rectangle, rank: number): Arrow {
  const from = centerOf(subject);
  const center = centerOf(object);
  const distance = Math.hypot(center.x - from.x, center.y - from.y);
  const isSubjectInner = areaOf(subject) <= areaOf(object);
  const [inner, outer] = isSubjectInner ? [subject, object] : [object, subject];
  if (contains(outer, centerOf(inner)) && isSmall(inner)) {
    const arrow = arrowWithin(outer, inner, rank);
    if (arrow) return isSubjectInner ? { ...arrow, from: arrow.to, to: arrow.from } : arrow;
    return arrowAround(subject, object, rank);
  }
  if (distance < 6) return loopAt(from, rank);
  const bend = Math.min(0.16 * distance, 46) + 22 * rank;
  const normal = { x: (center.y - from.y) / distance, y: (from.x - center.x) / distance };
  const control = {
    x: (from.x + center.x) / 2 + normal.x * bend,
    y: (from.y + center.y) / 2 + normal.y * bend,
  };
  const whole = { from, control, to: center };
  if (contains(object, from) || contains(subject, center)) return whole;
  const start = isSmall(subject) ? crossing(whole, (point) => !contains(subject, point)) : 0;
  const end = crossing(whole, (point) => contains(object, point));
  const cut = partOf(whole, start, end);
  const length = start < end ? Math.hypot(cut.to.x - cut.from.x, cut.to.y - cut.from.y) : 0;
  if (isSmall(inner)) return length < SHORTEST ? arrowAround(subject, object, rank) : cut;
  // Boxes that touch would have a head and no line.
  return length < Math.max(SHORTEST, 0.3 * distance) ? whole : cut;
}

/** Returns an arrow to the edge of a box from the widest strip of the box around it; null if all of them are narrow. */
function arrowWithin(outer: Rectangle, inner: Rectangle, rank: number): Arrow | null {
  const { x, y } = centerOf(inner);
  const shift = 14 * rank;
  const [left, right] = [inner.x - outer.x, outer.x + outer.width - inner.x - inner.width];
  const [above, below] = [inner.y - outer.y, outer.y + outer.height - inner.y - inner.height];
  const widest = Math.max(left, right, above, below);
  const length = Math.min(0.7 * widest, 90);
  if (length < SHORTEST) return null;
  const line = (to: Point, dx: number, dy: number): Arrow => ({
    from: { x: to.x + dx * length, y: to.y + dy * length },
    control: { x: to.x + 0.5 * dx * length + 0.12 * dy * length, y: to.y + 0.5 * dy * length - 0.12 * dx * length },
    to,
  });
  if (widest === right) return line({ x: inner.x + inner.width, y: y + shift }, 1, 0);
  if (widest === left) return line({ x: inner.x, y: y + shift }, -1, 0);
  if (widest === above) return line({ x: x + shift, y: inner.y }, 0, -1);
  return line({ x: x + shift, y: inner.y + inner.height }, 0, 1);
}

/** Returns an arrow over the tops of two boxes, or along their right sides where one is above the other. */
function arrowAround(subject: Rectangle, object: Rectangle, rank: number): Arrow {
  const [a, b] = [centerOf(subject), centerOf(object)];
  const far = 2 * SHORTEST + 22 * rank;
  if (Math.abs(a.x - b.x) >= Math.abs(a.y - b.y)) {
    // Boxes with one center have the two ends of the arrow next to each other.
    const apart = Math.abs(a.x - b.x) < SHORTEST ? SHORTEST / 2 : 0;
    const from = { x: a.x - apart, y: subject.y };
    const to = { x: b.x + apart, y: object.y };
    return { from, control: { x: (from.x + to.x) / 2, y: Math.min(from.y, to.y) - far }, to };
  }
  const from = { x: subject.x + subject.width, y: a.y };
  const to = { x: object.x + object.width, y: b.y };
  return { from, control: { x: Math.max(from.x, to.x) + far, y: (from.y + to.y) / 2 }, to };
}

/** Returns the first place in [0, 1] of a curve where a condition holds that holds at its end. */
function crossing(arrow: Arrow, holds: (point: Point) => boolean): number {
  let [before, after] = [0, 1];
  for (let step = 0; step < 20; step++) {
    const middle = (before + after) / 2;
    if (holds(pointOn(arrow, middle))) after = middle;
    else before = middle;
  }
  return after;
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

/** Returns the part of a curve from `start` to `end`, places in [0, 1], by de Casteljau's construction. */
function partOf(arrow: Arrow, start: number, end: number): Arrow {
  const { from, control, to } = arrow;
  const [a, b, c] = [(1 - start) * (1 - end), start * (1 - end) + end * (1 - start), start * end];
  return {
    from: pointOn(arrow, start),
    control: { x: a * from.x + b * control.x + c * to.x, y: a * from.y + b * control.y + c * to.y },
    to: pointOn(arrow, end),
  };
}

const isSmall = ({ width, height }: Rectangle): boolean => Math.min(width, height) < SMALL;

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
