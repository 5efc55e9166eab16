import { type Box, intersection } from '../records/box.js';
import type { CandidatePair } from '../records/candidate.js';
import type { RelationTagger, TagRequest } from '../records/ports.js';
import { type PredicateKind, predicateKind } from '../vocabulary/predicate-kind.js';

/**
 * Makes a tagger without a model: a baseline for learned taggers, and a tagger to use until one is available. It reads words
 * and boxes, but not pixels.
 *
 * score = support · fit · choice · prominence, each in [0, 1]:
 * - support: 1 − 2^−k when k captions propose the text for the pair's categories;
 * - fit: how well the two boxes suit the kind of predicate (touching, above, below, next to…);
 * - choice: the pair's fit relative to the best fit of its subject, and of its object, with any partner of the same categories.
 *   Among five persons and two horses, each horse prefers the person on it;
 * - prominence: the fourth root of the product of both areas relative to the largest box of their category, because captions
 *   mention large objects and not the crowd in the background.
 *
 * @example
 * ```ts
 * import { baselineTagger, tag } from 'relflow';
 *
 * const tagging = tag(baselineTagger(), { threshold: 0.3 });
 * ```
 */
export function baselineTagger(): RelationTagger {
  return { name: 'baseline', version: '1', baseline: true, tag: score };
}

/** Scores how well two boxes suit a kind of predicate, in [0, 1]. */
type Fit = (subject: Box, object: Box) => number;

const above = (s: Box, o: Box) => logistic((centerY(o) - centerY(s)) / (0.25 * o[3] + 1));
const below = (s: Box, o: Box) => above(o, s);
/** Scores how likely the subject is nearer: the nearer of two objects on the ground extends further down in the image. */
const nearer = (s: Box, o: Box) => logistic((bottom(s) - bottom(o)) / (0.1 * (s[3] + o[3]) + 1));
const leftOf = (s: Box, o: Box) => logistic((centerX(o) - centerX(s)) / (0.25 * (s[2] + o[2]) + 1));
const touching = (s: Box, o: Box) => closeness(s, o, 0.1);
const near = (s: Box, o: Box) => closeness(s, o, 0.5);
const inside = (s: Box, o: Box) => coverage(s, o);

const FITS: Readonly<Record<PredicateKind, Fit>> = {
  'left of': (s, o) => leftOf(s, o) * near(s, o),
  'right of': (s, o) => leftOf(o, s) * near(s, o),
  'in front of': (s, o) => nearer(s, o) * near(s, o),
  behind: (s, o) => nearer(o, s) * near(s, o),
  'next to': near,
  below: (s, o) => below(s, o) * touching(s, o),
  above: (s, o) => above(s, o) * near(s, o),
  on: (s, o) => above(s, o) * touching(s, o),
  in: inside,
  holding: (s, o) => inside(o, s),
  'looking at': near,
  contact: touching,
};

function score({ detections, pairs, texts }: TagRequest): Float32Array {
  const scores = new Float32Array(pairs.length * texts.length);
  const columns = new Map(texts.map((text, column) => [text, column]));
  const fits = texts.map((text) => FITS[predicateKind(text)]);
  const categories = [...new Set(detections.map(({ category }) => category))];
  const codes = new Map(categories.map((category, code) => [category, code]));
  const code = (index: number) => codes.get(detections[index]!.category)!;
  const largest = new Map<string, number>();
  for (const { category, box } of detections) largest.set(category, Math.max(largest.get(category) ?? 0, area(box)));
  const relativeAreas = detections.map(({ category, box }) => area(box) / largest.get(category)!);
  // For each text: the best fit of a subject with objects of a category, and of an object with subjects of a category.
  const best = texts.map(() => [new Map<number, number>(), new Map<number, number>()] as const);
  const keys = ({ subject, object }: CandidatePair) => [
    subject * categories.length + code(object),
    object * categories.length + code(subject),
  ];
  pairs.forEach((pair, row) => {
    const [subjectKey, objectKey] = keys(pair) as [number, number];
    for (const { text } of pair.texts) {
      const column = columns.get(text);
      if (column === undefined) continue;
      const fit = fits[column]!(detections[pair.subject]!.box, detections[pair.object]!.box);
      scores[row * texts.length + column] = fit;
      const [bySubject, byObject] = best[column]!;
      if (fit > (bySubject.get(subjectKey) ?? 0)) bySubject.set(subjectKey, fit);
      if (fit > (byObject.get(objectKey) ?? 0)) byObject.set(objectKey, fit);
    }
  });
  pairs.forEach((pair, row) => {
    const [subjectKey, objectKey] = keys(pair) as [number, number];
    for (const { text, captions } of pair.texts) {
      const column = columns.get(text);
      if (column === undefined) continue;
      const fit = scores[row * texts.length + column]!;
      if (fit === 0) continue;
      const [bySubject, byObject] = best[column]!;
      const choice = (fit / bySubject.get(subjectKey)!) * (fit / byObject.get(objectKey)!);
      const prominence = ((relativeAreas[pair.subject] ?? 0) * (relativeAreas[pair.object] ?? 0)) ** 0.25;
      scores[row * texts.length + column] = (1 - 2 ** -captions.length) * fit * choice * prominence;
    }
  });
  return scores;
}

function area(box: Box): number {
  return box[2] * box[3];
}

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
