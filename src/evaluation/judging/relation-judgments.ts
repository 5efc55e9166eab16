import { csvRows, type RejectedRow } from '../../files/csv-rows.js';
import type { RelationJudgment } from '../../records/relation-judgment.js';
import { schemaProblem } from '../../records/schema-problem.js';

/** The columns of a file of judgments, in the order in which `sampleRelations` writes them. */
export const JUDGMENT_COLUMNS = [
  'relation',
  'image',
  'subject',
  'predicate',
  'object',
  'confidence',
  'source',
  'subjects',
  'objects',
  'match',
  'triplet',
  'pair',
] as const satisfies readonly (keyof RelationJudgment)[];

const NUMBERS: ReadonlySet<string> = new Set(['relation', 'confidence', 'subjects', 'objects']);
const VERDICTS = ['match', 'triplet', 'pair'] as const;

/** What people write for the three verdicts. */
const VERDICT_WORDS: ReadonlyMap<string, string> = new Map([
  ...['yes', 'y', '1', 'true'].map((word) => [word, 'yes'] as const),
  ...['no', 'n', '0', 'false'].map((word) => [word, 'no'] as const),
]);

/**
 * Reads the file of `sampleRelations` with the judgments of a person. A verdict is `yes`, `no` or `?`; `y`, `1` and `true` are
 * yes, `n`, `0` and `false` are no.
 *
 * @param onBadRow receives every row that is skipped: its number of fields differs from the header's, a field is not what
 *   `schemas/relation-judgment.schema.json` asks for, the relation has a row before, or the pair is right and the triplet wrong
 * @returns the rows in the order of the file
 * @throws InputError when the file cannot be read, is not valid CSV or lacks a column
 *
 * @example
 * ```ts
 * import { relationJudgments } from 'relflow/evaluation';
 *
 * const rows = await relationJudgments('sheet/relations.csv', ({ line, problem }) => console.warn(`line ${line}: ${problem}`));
 * console.log(rows.filter(({ pair }) => pair === 'yes').length);
 * ```
 */
export async function relationJudgments(
  file: string,
  onBadRow: (row: RejectedRow) => void,
): Promise<readonly RelationJudgment[]> {
  const rows: RelationJudgment[] = [];
  const seen = new Set<number>();
  for await (const { line, fields } of csvRows(file, JUDGMENT_COLUMNS, onBadRow)) {
    const row = Object.fromEntries(
      JUDGMENT_COLUMNS.flatMap((name) => {
        const text = fields.get(name)!.trim();
        return text === '' ? [] : [[name, parsedField(name, text)]];
      }),
    ) as RelationJudgment;
    const problem =
      verdictProblem(row) ??
      schemaProblem('relation-judgment', row) ??
      (seen.has(row.relation) ? `relation ${row.relation} has a row before` : null) ??
      (row.pair === 'yes' && row.triplet === 'no'
        ? 'pair is yes and triplet is no, but what holds for these boxes holds in the image'
        : null);
    if (problem !== null) {
      onBadRow({ line, problem });
      continue;
    }
    seen.add(row.relation);
    rows.push(row);
  }
  return rows;
}

function parsedField(name: string, text: string): string | number {
  if (NUMBERS.has(name) && Number.isFinite(Number(text))) return Number(text);
  return (VERDICTS as readonly string[]).includes(name) ? (VERDICT_WORDS.get(text.toLowerCase()) ?? text) : text;
}

function verdictProblem(row: RelationJudgment): string | null {
  const name = VERDICTS.find((verdict) => !['yes', 'no', '?', undefined].includes(row[verdict]));
  return name === undefined ? null : `${name} '${row[name]}', expected yes, no or ?`;
}
