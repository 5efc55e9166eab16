import type { Box } from '../records/box.js';
import type { CandidatePair, CandidateText } from '../records/candidate.js';
import type { RelationTagger, TagRequest } from '../records/ports.js';
import { type PredicateKind, predicateKind } from '../vocabulary/predicate-kind.js';
import { type BoxFit, boxFits, compatFits } from './box-fits.js';

/** Options of `baselineTagger`. */
export interface BaselineTaggerOptions {
  /** Scores as version 1 did, for runs in compat: support · suitability, which is not calibrated. Default false. */
  readonly compat?: boolean;
}

/** Shapes the score of a share: with one caption, 0.21 scores 0.5, and 1 scores 0.92. Fitted to judged photographs. */
const SHAPE = 0.1;

/**
 * Makes a tagger without a model: a baseline for learned taggers, and a tagger to use until one is available. It reads words
 * and boxes, but not pixels.
 *
 * A caption names categories, not boxes, so what can be wrong is mostly the choice among several boxes. Each pair of boxes is
 * compared with the other pairs of its subject category, relation text and object category:
 *
 * - suitability = fit · choice · prominence, each in [0, 1]: how well the boxes suit the kind of predicate (touching, above,
 *   next to…); this fit relative to the best fit of the subject, and of the object, with any partner; and the fourth root of the
 *   product of both areas relative to the largest box of their category, because captions mention large objects first;
 * - share = suitability / best / √(sum of all / best), so that it is 1 for the only pair and small for one of many that are
 *   equally suitable; halved if the number words of the captions ("a man", "two men") mean only boxes that suit better, and for
 *   an action between two boxes of one category, since boxes do not show which one acts;
 * - score = (1 − 0.08 · 2^(1−k)) · 1.1 · share^1.5 / (share^1.5 + 0.1) for k captions that say it: the chance that the relation holds
 *   for this very pair, as docs/relations.md measures it.
 *
 * @example
 * ```ts
 * import { baselineTagger, tag } from 'relflow';
 *
 * const tagging = tag(baselineTagger(), { threshold: 0.3 });
 * ```
 */
export function baselineTagger({ compat = false }: BaselineTaggerOptions = {}): RelationTagger {
  return {
    name: 'baseline',
    version: compat ? '1' : '2',
    baseline: true,
    ...(!compat && { threshold: 0.5 }),
    tag: (request) => (compat ? productScores(request) : score(request)),
  };
}

/** Kinds of predicates whose direction two boxes do not show. */
const UNDIRECTED: ReadonlySet<PredicateKind> = new Set(['contact', 'holding', 'looking at']);

/** The pairs of one subject category, relation text and object category, with their suitability. */
interface Group {
  readonly column: number;
  readonly text: CandidateText;
  /** Whether the relation holds in both directions or in none, between boxes of one category. */
  readonly isMutual: boolean;
  /** Whether boxes of one category act on each other, which says nothing of which one acts. */
  readonly isOpen: boolean;
  readonly rows: number[];
  readonly values: number[];
}

function score({ detections, pairs, texts }: TagRequest): Float32Array {
  const scores = new Float32Array(pairs.length * texts.length);
  for (const group of groupsOf(detections, pairs, texts, boxFits)) {
    const { column, text, isMutual, isOpen, rows, values } = group;
    const best = values.reduce((most, value) => Math.max(most, value), 0);
    const sum = values.reduce((total, value) => total + value, 0);
    const isBeyond = best > 0 ? beyondNumber(group, pairs) : new Set<number>();
    // Without any suitable pair all are equally likely.
    const rivals = (best > 0 ? sum / best : rows.length) / (isMutual ? 2 : 1);
    // It knows nothing of texts that no caption says.
    const support = text.captions.length === 0 ? 0 : 1 - 0.08 * 2 ** (1 - text.captions.length);
    rows.forEach((row, at) => {
      const relative = best > 0 ? values[at]! / best : 1;
      const doubts = (isBeyond.has(at) ? 2 : 1) * (isOpen ? 2 : 1);
      const share = relative / Math.sqrt(Math.max(1, rivals)) / doubts;
      scores[row * texts.length + column] = (support * (1 + SHAPE) * share ** 1.5) / (share ** 1.5 + SHAPE);
    });
  }
  return scores;
}

function productScores({ detections, pairs, texts }: TagRequest): Float32Array {
  const scores = new Float32Array(pairs.length * texts.length);
  for (const { column, text, rows, values } of groupsOf(detections, pairs, texts, compatFits))
    rows.forEach((row, at) => {
      scores[row * texts.length + column] = (1 - 2 ** -text.captions.length) * values[at]!;
    });
  return scores;
}

function groupsOf(
  detections: TagRequest['detections'],
  pairs: readonly CandidatePair[],
  texts: readonly string[],
  fits: Readonly<Record<PredicateKind, BoxFit>>,
): Iterable<Group> {
  const columns = new Map(texts.map((text, column) => [text, column]));
  const kinds = texts.map(predicateKind);
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
  const groups = new Map<string, Group>();
  pairs.forEach((pair, row) => {
    const { subject, object } = pair;
    const [subjectKey, objectKey] = keys(pair) as [number, number];
    for (const text of pair.texts) {
      const column = columns.get(text.text);
      if (column === undefined) continue;
      const fit = fits[kinds[column]!](detections[subject]!.box, detections[object]!.box);
      const [bySubject, byObject] = best[column]!;
      if (fit > (bySubject.get(subjectKey) ?? 0)) bySubject.set(subjectKey, fit);
      if (fit > (byObject.get(objectKey) ?? 0)) byObject.set(objectKey, fit);
      const key = `${column} ${code(subject)} ${code(object)}`;
      const isSame = code(subject) === code(object);
      const isMutual = isSame && kinds[column] === 'next to';
      const isOpen = isSame && UNDIRECTED.has(kinds[column]!);
      const group = groups.get(key) ?? { column, text, isMutual, isOpen, rows: [], values: [] };
      groups.set(key, group);
      group.rows.push(row);
      // Rounded as scores are.
      group.values.push(Math.fround(fit));
    }
  });
  for (const { column, rows, values } of groups.values()) {
    const [bySubject, byObject] = best[column]!;
    rows.forEach((row, at) => {
      const fit = values[at]!;
      if (fit === 0) return;
      const [subjectKey, objectKey] = keys(pairs[row]!) as [number, number];
      const choice = (fit / bySubject.get(subjectKey)!) * (fit / byObject.get(objectKey)!);
      const prominence = ((relativeAreas[pairs[row]!.subject] ?? 0) * (relativeAreas[pairs[row]!.object] ?? 0)) ** 0.25;
      values[at] = fit * choice * prominence;
    });
  }
  return groups.values();
}

/** Returns the places in a group whose subject or object is not among the best ones that the captions' number words mean. */
function beyondNumber({ text, isMutual, rows, values }: Group, pairs: readonly CandidatePair[]): ReadonlySet<number> {
  const { subjects, objects } = text;
  const both = isMutual && subjects !== undefined && objects !== undefined ? Math.max(2, subjects, objects) : undefined;
  const beyond = new Set<number>();
  const limit = (side: 'subject' | 'object', number: number | undefined) => {
    if (number === undefined) return;
    const best = new Map<number, number>();
    rows.forEach((row, at) => {
      const index = pairs[row]![side];
      best.set(index, Math.max(best.get(index) ?? 0, values[at]!));
    });
    if (best.size <= number) return;
    const meant = new Set(
      [...best]
        .sort(([a, x], [b, y]) => y - x || a - b)
        .slice(0, number)
        .map(([index]) => index),
    );
    rows.forEach((row, at) => {
      if (!meant.has(pairs[row]![side])) beyond.add(at);
    });
  };
  limit('subject', isMutual ? both : subjects);
  limit('object', isMutual ? both : objects);
  return beyond;
}

function area(box: Box): number {
  return box[2] * box[3];
}
