import { type Box, intersection, iou } from '../records/box.js';
import type { BoxRole } from '../vocabulary/box-roles.js';

/** A box with what its category usually does. */
export interface RoleBox {
  readonly box: Box;
  readonly category: string;
  readonly roles: ReadonlySet<BoxRole>;
  /** Whether the box of a larger person covers most of it, so that the person may hold it. */
  readonly isHeld: boolean;
}

/** The size of an image, in pixels. */
interface Frame {
  readonly width: number;
  readonly height: number;
}

/** A rule about two boxes: what it says of the first one, or null where it is silent. */
type Rule = (a: RoleBox, b: RoleBox, frame: Frame) => string | null;

const bottom = ([, y, , h]: Box) => y + h;
const middle = ([x, , w]: Box) => x + w / 2;
const area = ([, , w, h]: Box) => w * h;
/** Length of the part that two boxes share of the horizontal or vertical axis; negative for a gap. */
const shared = (a: Box, b: Box, axis: 0 | 1) =>
  Math.min(a[axis] + a[axis + 2]!, b[axis] + b[axis + 2]!) - Math.max(a[axis], b[axis]);
const covered = (inner: Box, outer: Box) => (area(inner) > 0 ? intersection(inner, outer) / area(inner) : 0);
/** Whether two boxes have the same size up to a factor, in both directions. */
const isAlike = (a: number, b: number, factor: number) => Math.max(a, b) <= factor * Math.min(a, b);
/** Whether a box reaches an edge of the image, so that its true extent is unknown. */
const isCutBelow = (box: Box, { height }: Frame) => bottom(box) >= height - 0.01 * height;

/** Two boxes at the same height and depth, one after the other with at most a narrow gap. */
const nextTo: Rule = ({ box: a }, { box: b }, frame) => {
  const gap = -shared(a, b, 0);
  if (gap < -0.15 * Math.min(a[2], b[2]) || gap > 0.4 * Math.min(a[2], b[2])) return null;
  if (shared(a, b, 1) < 0.6 * Math.min(a[3], b[3]) || !isAlike(a[3], b[3], 2)) return null;
  const isLevel = Math.abs(bottom(a) - bottom(b)) <= 0.15 * Math.min(a[3], b[3]);
  return isLevel && !(isCutBelow(a, frame) && isCutBelow(b, frame) && !isAlike(a[3], b[3], 1.4)) ? 'next to' : null;
};

/** A box entirely at one side of another at the same height, and not far from it. */
const side: Rule = ({ box: a }, { box: b }) => {
  const gap = -shared(a, b, 0);
  if (gap < 0 || gap > 1.5 * Math.max(a[2], b[2])) return null;
  if (shared(a, b, 1) < 0.6 * Math.min(a[3], b[3]) || !isAlike(a[3], b[3], 3)) return null;
  return middle(a) < middle(b) ? 'left of' : 'right of';
};

/** A thing that hangs or flies wherever it is seen, entirely above another and in its column. */
const above: Rule = ({ box: a, roles }, { box: b, roles: others }) => {
  if (!roles.has('hangs') || others.has('hangs')) return null;
  const isInColumn = shared(a, b, 0) >= 0.6 * Math.min(a[2], b[2]);
  const gap = b[1] - bottom(a);
  return isInColumn && gap >= -0.1 * Math.min(a[3], b[3]) && gap <= 1.5 * b[3] ? 'above' : null;
};

/** A small thing within the box of a table or a bed that no person holds, or a person on a board or on what is ridden. */
const on: Rule = ({ box: a, roles, isHeld }, { box: b, roles: others }) => {
  if (roles.has('lies') && others.has('supports') && !isHeld)
    return covered(a, b) >= 0.95 && area(a) <= 0.25 * area(b) && bottom(a) > b[1] + 0.2 * b[3] ? 'on' : null;
  if (!roles.has('person')) return null;
  const inColumn = shared(a, b, 0) / a[2];
  if (others.has('board')) {
    const isFlat = b[2] >= 1.5 * b[3] && a[3] >= 1.5 * b[3];
    const isAtFeet = bottom(a) >= b[1] && bottom(a) <= bottom(b) + 0.1 * a[3] && b[1] >= a[1] + 0.7 * a[3];
    return isFlat && isAtFeet && inColumn >= 0.6 ? 'on' : null;
  }
  if (!others.has('ridden')) return null;
  const isAbove = a[1] < b[1] - 0.15 * b[3] && bottom(a) < bottom(b) - 0.05 * b[3] && bottom(a) > b[1] + 0.4 * b[3];
  return isAbove && inColumn >= 0.8 && a[2] < b[2] ? 'on' : null;
};

/** Food and the like in a bowl that surrounds it. */
const inside: Rule = ({ box: a, roles, category }, { box: b, category: other }) => {
  if (!roles.has('lies') || !/^(?:bowl|bowl\/basin|basket)$/i.test(other) || category === other) return null;
  return covered(a, b) >= 0.95 && area(a) <= 0.8 * area(b) && area(a) >= 0.05 * area(b) ? 'in' : null;
};

/** Of two overlapping things of one category on the ground, the one that extends further down and is larger. */
const depth: Rule = ({ box: a, roles, category }, { box: b, roles: others, category: other }, frame) => {
  if (!roles.has('stands') || !others.has('stands') || category !== other) return null;
  if (shared(a, b, 0) < 0.4 * Math.min(a[2], b[2]) || shared(a, b, 1) <= 0) return null;
  // One within the other may be its picture or its part.
  if (isCutBelow(b, frame) || covered(b, a) > 0.7) return null;
  const isNearer = bottom(a) - bottom(b) >= 0.15 * b[3] && a[3] >= 1.25 * b[3];
  return isNearer ? 'in front of' : null;
};

/** The rules with the shares that were right when judged by eye, the more specific ones first. */
const RULES: readonly (readonly [rule: Rule, confidence: number])[] = [
  [on, 0.9],
  [inside, 0.9],
  [above, 0.9],
  [nextTo, 0.9],
  [depth, 0.9],
  [side, 0.95],
];

/** What the smaller one of a pair is called where a rule speaks of the larger one. */
const CONVERSE: Readonly<Record<string, string>> = { above: 'below', 'in front of': 'behind' };

/**
 * Returns what the boxes of a pair leave little doubt about, preferably as a predicate of the first one; null if no rule speaks.
 */
export function boxRelation(
  a: RoleBox,
  b: RoleBox,
  frame: Frame,
): { readonly predicate: string; readonly confidence: number; readonly isReversed: boolean } | null {
  if (iou(a.box, b.box) > 0.8) return null;
  for (const [rule, confidence] of RULES)
    for (const isReversed of [false, true]) {
      const predicate = isReversed ? rule(b, a, frame) : rule(a, b, frame);
      if (predicate === null) continue;
      const converse = isReversed ? CONVERSE[predicate] : undefined;
      return converse === undefined
        ? { predicate, confidence, isReversed }
        : { predicate: converse, confidence, isReversed: false };
    }
  return null;
}
