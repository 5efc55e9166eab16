import type { RelationJudgment } from '../../records/relation-judgment.js';
import { predicateKind } from '../../vocabulary/predicate-kind.js';
import { bootstrapShare, type Share, type UnitCounts, wilsonShare } from '../statistics/intervals.js';

/** Precision of the relations of one group. */
export interface JudgedGroup {
  readonly group: string;
  /** Share of the relations that hold for their very pair of boxes, of those judged yes or no. */
  readonly pair: Share;
  /** Mean confidence of these relations; null if none has one. */
  readonly meanConfidence: number | null;
}

/** Result of judging relations by eye. */
export interface RelationEvaluation {
  /** Rows of the file. */
  readonly relations: number;
  /** Images with a judged pair. */
  readonly images: number;
  /** Rows whose pair has no judgment yet. */
  readonly unjudged: number;
  /** Rows whose pair a person could not judge, `?`. */
  readonly unsure: number;
  /** Shares of yes among yes and no, with intervals by resampling of images. */
  readonly match: Share;
  readonly triplet: Share;
  readonly pair: Share;
  /** By the number of boxes that have the categories: `one pair possible`, `one side repeated`, `both repeated`. */
  readonly byRepetition: readonly JudgedGroup[];
  /** By what the predicate says: `on`, `in`, `holding`… */
  readonly byKind: readonly JudgedGroup[];
  readonly bySource: readonly JudgedGroup[];
  /** By confidence in tenths: the confidence is calibrated where its mean is near the share. */
  readonly byConfidence: readonly JudgedGroup[];
}

/**
 * Computes the precision of relations that a person judged. The interval of the whole file is a bootstrap over images, since
 * the relations of an image depend on each other; those of groups are Wilson's.
 *
 * @example
 * ```ts
 * import { evaluateRelationJudgments, relationJudgments } from 'relflow/evaluation';
 *
 * const { pair } = evaluateRelationJudgments(await relationJudgments('sheet/relations.csv', () => {}));
 * console.log(pair.value, pair.low, pair.high);
 * ```
 */
export function evaluateRelationJudgments(rows: readonly RelationJudgment[]): RelationEvaluation {
  const judged = rows.filter(isJudged('pair'));
  return {
    relations: rows.length,
    images: new Set(judged.map(({ image }) => image)).size,
    unjudged: rows.filter(({ pair }) => pair === undefined).length,
    unsure: rows.filter(({ pair }) => pair === '?').length,
    match: shareOf(rows, 'match'),
    triplet: shareOf(rows, 'triplet'),
    pair: shareOf(rows, 'pair'),
    byRepetition: groupsOf(judged, repetition),
    byKind: groupsOf(judged, ({ predicate }) => predicateKind(predicate)),
    bySource: groupsOf(judged, ({ source }) => source),
    byConfidence: groupsOf(judged, tenth).sort((a, b) => (a.group < b.group ? -1 : 1)),
  };
}

type Verdict = 'match' | 'triplet' | 'pair';

const isJudged = (verdict: Verdict) => (row: RelationJudgment) => row[verdict] === 'yes' || row[verdict] === 'no';

function shareOf(rows: readonly RelationJudgment[], verdict: Verdict): Share {
  const units = new Map<string, UnitCounts>();
  for (const row of rows.filter(isJudged(verdict))) {
    const { count, of } = units.get(row.image) ?? { count: 0, of: 0 };
    units.set(row.image, { count: count + (row[verdict] === 'yes' ? 1 : 0), of: of + 1 });
  }
  return bootstrapShare([...units.values()]);
}

/** Groups by name, the largest group first. */
function groupsOf(rows: readonly RelationJudgment[], nameOf: (row: RelationJudgment) => string): JudgedGroup[] {
  const groups = new Map<string, RelationJudgment[]>();
  for (const row of rows) groups.set(nameOf(row), [...(groups.get(nameOf(row)) ?? []), row]);
  return [...groups]
    .map(([group, of]) => {
      const confidences = of.flatMap(({ confidence }) => (confidence === undefined ? [] : [confidence]));
      const sum = confidences.reduce((total, one) => total + one, 0);
      return {
        group,
        pair: wilsonShare(of.filter(({ pair }) => pair === 'yes').length, of.length),
        meanConfidence: confidences.length > 0 ? sum / confidences.length : null,
      };
    })
    .sort((a, b) => b.pair.of - a.pair.of || (a.group < b.group ? -1 : 1));
}

function repetition({ subject, object, subjects, objects }: RelationJudgment): string {
  if (subject === object) return 'both repeated';
  const repeated = [subjects, objects].filter((count) => count > 1).length;
  return ['one pair possible', 'one side repeated', 'both repeated'][repeated]!;
}

function tenth({ confidence }: RelationJudgment): string {
  if (confidence === undefined) return 'without';
  const low = Math.min(9, Math.floor(10 * confidence + 1e-9)) / 10;
  return `${low.toFixed(1)}–${(low + 0.1).toFixed(1)}`;
}
