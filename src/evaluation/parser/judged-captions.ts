import { csvRows, type RejectedRow } from '../../files/csv-rows.js';
import type { FactualRelation } from '../../records/factual-graph.js';
import { factualProblem, parseFactual } from '../../records/factual-graph.js';
import { schemaProblem } from '../../records/schema-problem.js';

/** A relation that a person judged. */
export interface JudgedTriplet {
  readonly relation: FactualRelation;
  /** `right` and `missed`: the caption says it; `wrong`: it does not. */
  readonly judgment: 'right' | 'wrong' | 'missed';
  /** Kind of error of a wrong or missed triplet; omitted if the person named none. */
  readonly error?: string;
}

/** A caption with the judgments of its triplets. */
export interface JudgedCaption {
  readonly caption: string;
  readonly triplets: readonly JudgedTriplet[];
}

const COLUMNS = ['caption', 'triplet', 'judgment'] as const;

/** Column names of judgment files; a file with one of these is not a file of gold graphs. */
export const isJudgmentColumn = (name: string): boolean => name === 'triplet' || name === 'judgment';

/**
 * Reads judgments by hand from a CSV file with the columns `caption`, `triplet`, `judgment` and, if wanted, `error`: one row
 * a triplet, or a row with a caption alone. The rows of a caption need not follow each other.
 *
 * @param onBadRow receives every row that is skipped: its number of fields differs from the header's, the caption is empty, the
 *   triplet is not a relation in FACTUAL's form, the judgment is unknown, or two rows judge a triplet differently
 * @returns captions in the order of the file; a triplet without a judgment is left out
 * @throws InputError when the file cannot be read, is not valid CSV or lacks a column
 *
 * @example
 * ```ts
 * import { judgedCaptions } from 'relflow/evaluation';
 *
 * const captions = await judgedCaptions('judged.csv', ({ line, problem }) => console.warn(`line ${line}: ${problem}`));
 * for (const { caption, triplets } of captions) console.log(caption, triplets.length);
 * ```
 */
export async function judgedCaptions(
  file: string,
  onBadRow: (row: RejectedRow) => void,
): Promise<readonly JudgedCaption[]> {
  const byCaption = new Map<string, Map<string, JudgedTriplet>>();
  for await (const { line, fields } of csvRows(file, COLUMNS, onBadRow)) {
    const row = Object.fromEntries(
      [...COLUMNS, 'error'].flatMap((name) => {
        const value = fields.get(name)?.trim() ?? '';
        return value === '' ? [] : [[name, value]];
      }),
    ) as { caption: string; triplet?: string; judgment?: JudgedTriplet['judgment']; error?: string };
    const problem = schemaProblem('judgment', row) ?? tripletProblem(row.triplet);
    if (problem !== null) {
      onBadRow({ line, problem });
      continue;
    }
    const { caption, triplet, judgment, error } = row;
    const triplets = byCaption.get(caption) ?? new Map<string, JudgedTriplet>();
    byCaption.set(caption, triplets);
    if (triplet === undefined || judgment === undefined) continue;
    const [relation] = parseFactual(triplet).relations as [FactualRelation];
    const key = JSON.stringify(relation);
    const before = triplets.get(key);
    if (before && (before.judgment === 'wrong') !== (judgment === 'wrong'))
      onBadRow({ line, problem: `triplet ${triplet}: ${judgment}, but ${before.judgment} in a row before` });
    else triplets.set(key, { relation, judgment, ...(error !== undefined && { error }) });
  }
  return [...byCaption].map(([caption, triplets]) => ({ caption, triplets: [...triplets.values()] }));
}

function tripletProblem(triplet: string | undefined): string | null {
  if (triplet === undefined) return null;
  const problem = factualProblem(triplet);
  if (problem !== undefined) return `triplet: ${problem}`;
  const { relations, attributes, entities } = parseFactual(triplet);
  const isOne = relations.length === 1 && attributes.length + entities.length === 0;
  return isOne ? null : `triplet ${triplet}, expected one relation such as ( man , ride , horse )`;
}
