import { type Box, intersection, relativeGap } from '../records/box.js';
import type { Detection } from '../records/image.js';
import type { Proposal } from '../records/ports.js';
import { type PredicateKind, predicateKind } from '../vocabulary/predicate-kind.js';

/** Why boxes contradict a relation, as counts name it. */
export type GateReason =
  | 'gate-left-right'
  | 'gate-above-below'
  | 'gate-no-contact'
  | 'gate-not-on'
  | 'gate-not-in'
  | 'gate-too-far'
  | 'gate-contradiction';

/** The widest gap of things in contact, in units of the mean of their sides: boxes are drawn by hand. */
const CONTACT = 0.1;
/** The widest gap of things next to each other. */
const NEIGHBORHOOD = 1.5;
/** The share of a box within another one from which on the thing may be anywhere on it. */
const WITHIN = 0.8;
/** How many times as large as its container a thing may be: a man in a canoe. */
const LARGEST_IN = 4;
/** Actions without a word of place that need contact. */
const touching =
  /\b(?:wear|wears|wearing|worn|hold|holds|holding|carry|carries|carrying|rid(?:e|es|ing|den)|sit|sits|sitting|lying|leaning)\b/;

/**
 * Returns why the boxes contradict a relation; null if they do not. What boxes cannot decide passes: which of two things is
 * nearer, and actions.
 */
export function gate(predicate: string, subject: Box, object: Box): GateReason | null {
  const kind = predicateKind(predicate);
  const [dx, dy] = [center(object, 0) - center(subject, 0), center(object, 1) - center(subject, 1)];
  if ((kind === 'left of' && dx <= 0) || (kind === 'right of' && dx >= 0)) return 'gate-left-right';
  if ((kind === 'above' && dy <= 0) || (kind === 'below' && dy >= 0)) return 'gate-above-below';
  const gap = relativeGap(subject, object);
  const isAction = kind === 'holding' || kind === 'contact';
  const needsContact = kind === 'on' || kind === 'in' || (isAction && touching.test(predicate.toLowerCase()));
  if (needsContact && gap > CONTACT) return 'gate-no-contact';
  if (kind === 'next to' && gap > NEIGHBORHOOD) return 'gate-too-far';
  const within = intersection(subject, object) / area(subject);
  if (kind === 'on' && (overlapX(subject, object) === 0 || (dy < 0 && within < WITHIN))) return 'gate-not-on';
  if (kind === 'in' && (within === 0 || area(subject) > LARGEST_IN * area(object))) return 'gate-not-in';
  return null;
}

/** Kinds of which a relation and its reverse cannot both hold. */
const directed: readonly PredicateKind[] = [
  'left of',
  'right of',
  'above',
  'below',
  'in front of',
  'behind',
  'on',
  'in',
];
/** Kinds that the reverse of another kind means. */
const converse: Readonly<Partial<Record<PredicateKind, PredicateKind>>> = {
  'left of': 'right of',
  'right of': 'left of',
  above: 'below',
  below: 'above',
  'in front of': 'behind',
  behind: 'in front of',
};

/** Returns those proposals that the boxes and the other proposals do not contradict, and the reason of each of the others. */
export function passGates(
  proposals: readonly Proposal[],
  detections: readonly Detection[],
): { readonly passed: Proposal[]; readonly rejected: { readonly proposal: Proposal; readonly reason: GateReason }[] } {
  const rejected: { proposal: Proposal; reason: GateReason }[] = [];
  const plausible = proposals.filter((proposal) => {
    const reason = gate(proposal.predicate, detections[proposal.subject]!.box, detections[proposal.object]!.box);
    if (reason) rejected.push({ proposal, reason });
    return reason === null;
  });
  const keyOf = (kind: PredicateKind, from: number, to: number) => `${kind} ${from} ${to}`;
  const said = new Set(
    plausible.map(({ predicate, subject, object }) => keyOf(predicateKind(predicate), subject, object)),
  );
  const passed = plausible.filter((proposal) => {
    const { predicate, subject, object } = proposal;
    const kind = predicateKind(predicate);
    const opposite = converse[kind];
    const isContradicted =
      directed.includes(kind) &&
      (said.has(keyOf(kind, object, subject)) ||
        (opposite !== undefined && said.has(keyOf(opposite, subject, object))));
    if (isContradicted) rejected.push({ proposal, reason: 'gate-contradiction' });
    return !isContradicted;
  });
  return { passed, rejected };
}

/** Returns how far two boxes overlap from left to right, in pixels. */
const overlapX = (a: Box, b: Box): number => Math.max(0, Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]));
const area = ([, , w, h]: Box): number => w * h;
const center = (box: Box, axis: 0 | 1): number => box[axis] + box[axis + 2]! / 2;
