import { type Box, intersection } from '../records/box.js';
import type { PredicateKind } from '../vocabulary/predicate-kind.js';

/** Scores how well the boxes of a subject and an object suit a predicate, in [0, 1]. */
export type BoxFit = (subject: Box, object: Box) => number;

const above: BoxFit = (s, o) => logistic((centerY(o) - centerY(s)) / (0.25 * o[3] + 1));
const below: BoxFit = (s, o) => above(o, s);
const leftOf: BoxFit = (s, o) => logistic((centerX(o) - centerX(s)) / (0.25 * (s[2] + o[2]) + 1));
const touching: BoxFit = (s, o) => closeness(s, o, 0.1);
const near: BoxFit = (s, o) => closeness(s, o, 0.5);
const inside: BoxFit = (s, o) => coverage(s, o);

const lower: BoxFit = (s, o) => logistic((bottom(s) - bottom(o)) / (0.1 * (s[3] + o[3]) + 1));

/**
 * Scores how likely the subject is nearer: the nearer of two things on the ground extends further down in the image. This says
 * nothing of a thing that hangs, such as a sign, which is usually the nearer one where it covers the other.
 */
const nearer: BoxFit = (s, o) => {
  if (hangs(s, o)) return 0.5 + 0.4 * coverage(s, o);
  if (hangs(o, s)) return 0.5 - 0.4 * coverage(o, s);
  return lower(s, o);
};

/** Whether a thing is so far above the ground of a taller one that its lower edge says nothing of its distance. */
const hangs = (a: Box, b: Box): boolean => a[3] < b[3] && bottom(a) < centerY(b);

/** Scores how likely a thing lies on a larger one that its box is in, as on a table that fills the image. */
const lyingOn: BoxFit = (s, o) =>
  s[2] * s[3] < 0.5 * o[2] * o[3] && bottom(s) <= bottom(o) ? 0.9 * coverage(s, o) : 0;

/** The share of the subject's width at which the object is, and at least a tenth. */
const inColumn: BoxFit = (s, o) =>
  0.1 +
  (0.9 * Math.max(0, Math.min(s[0] + s[2], o[0] + o[2]) - Math.max(s[0], o[0]))) / Math.max(1, Math.min(s[2], o[2]));

/** How well two boxes suit each kind of predicate. */
export const boxFits: Readonly<Record<PredicateKind, BoxFit>> = {
  'left of': (s, o) => leftOf(s, o) * near(s, o),
  'right of': (s, o) => leftOf(o, s) * near(s, o),
  'in front of': (s, o) => nearer(s, o) * near(s, o),
  behind: (s, o) => nearer(o, s) * near(s, o),
  'next to': near,
  below: (s, o) => below(s, o) * touching(s, o) * inColumn(s, o),
  above: (s, o) => above(s, o) * near(s, o) * inColumn(s, o),
  on: (s, o) => Math.max(above(s, o), lyingOn(s, o)) * touching(s, o) * inColumn(s, o),
  in: inside,
  // What a person holds may reach far beyond the person, as a kite or an umbrella does.
  holding: (s, o) => Math.max(inside(o, s), 0.5 * touching(s, o), 0.25 * near(s, o)),
  'looking at': near,
  contact: (s, o) => Math.max(touching(s, o), 0.25 * near(s, o)),
};

/** The fits of version 1 of the baseline, for compat. */
export const compatFits: Readonly<Record<PredicateKind, BoxFit>> = {
  ...boxFits,
  'in front of': (s, o) => lower(s, o) * near(s, o),
  behind: (s, o) => lower(o, s) * near(s, o),
  below: (s, o) => below(s, o) * touching(s, o),
  above: (s, o) => above(s, o) * near(s, o),
  on: (s, o) => above(s, o) * touching(s, o),
  holding: (s, o) => inside(o, s),
  contact: touching,
};

function centerX(box: Box): number {
  return box[0] + box[2] / 2;
}

function centerY(box: Box): number {
  return box[1] + box[3] / 2;
}

function bottom(box: Box): number {
  return box[1] + box[3];
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Returns 1 if the boxes overlap, and less the wider the gap between them; `reach` is in units of the mean box size. */
function closeness(a: Box, b: Box, reach: number): number {
  const dx = Math.max(0, Math.max(a[0], b[0]) - Math.min(a[0] + a[2], b[0] + b[2]));
  const dy = Math.max(0, Math.max(a[1], b[1]) - Math.min(a[1] + a[3], b[1] + b[3]));
  const size = (Math.sqrt(a[2] * a[3]) + Math.sqrt(b[2] * b[3])) / 2;
  return Math.exp(-Math.hypot(dx, dy) / (reach * size + 1));
}

/** Returns the share of the area of `inner` that is inside `outer`. */
function coverage(inner: Box, outer: Box): number {
  const area = inner[2] * inner[3];
  return area > 0 ? intersection(inner, outer) / area : 0;
}
