import { createReadStream } from 'node:fs';
import { type CsvError, parse } from 'csv-parse';
import { InputError } from '../../errors.js';
import { factualProblem } from '../../records/factual-graph.js';
import type { GoldCaption } from './evaluate-parser.js';

/** A row of a CSV file that cannot be used. */
export interface RejectedRow {
  /** The line on which the row ends, counted from 1. */
  readonly line: number;
  readonly problem: string;
}

/** Maximum length of a row in characters. */
const MAX_RECORD = 1_000_000;

const COLUMNS = ['caption', 'scene_graph'] as const;

/**
 * Reads captions and their graphs from a CSV file with the columns `caption` and `scene_graph`; other columns are ignored.
 *
 * @param onBadRow receives every row that is skipped: its number of fields differs from the header's, the caption is empty, or
 *   the graph does not have FACTUAL's format
 * @throws InputError when the file cannot be read, is not valid CSV or lacks a column
 *
 * @example
 * ```ts
 * import { goldCaptions } from 'relflow/evaluation';
 *
 * const captions = goldCaptions('dev.csv', ({ line, problem }) => console.warn(`line ${line}: ${problem}`));
 * for await (const { caption, gold } of captions) console.log(caption, gold);
 * ```
 */
export async function* goldCaptions(file: string, onBadRow: (row: RejectedRow) => void): AsyncGenerator<GoldCaption> {
  const rows = createReadStream(file).on('error', (error) => csv.destroy(error));
  const csv = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    max_record_size: MAX_RECORD,
    skip_empty_lines: true,
  });
  let header: readonly string[] | undefined;
  try {
    for await (const { record, info } of rows.pipe(csv) as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      if (header === undefined) {
        header = headerOf(file, record);
        continue;
      }
      const [caption, gold] = COLUMNS.map((column) => record[header!.indexOf(column)] ?? '') as [string, string];
      const problem =
        record.length === header.length
          ? problemOf(caption, gold)
          : `${record.length} fields, expected ${header.length}`;
      if (problem === undefined) yield { caption, gold };
      else onBadRow({ line: info.lines, problem });
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code, message } = error as CsvError | NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new InputError(file, code === 'ENOENT' ? 'no such file' : message, undefined, { cause: error });
  } finally {
    rows.destroy();
  }
  if (header === undefined)
    throw new InputError(file, 'empty file, expected a header with the columns caption and scene_graph');
}

function headerOf(file: string, record: readonly string[]): readonly string[] {
  const header = record.map((name) => name.trim());
  const missing = COLUMNS.filter((column) => !header.includes(column));
  if (missing.length > 0)
    throw new InputError(
      file,
      `missing column ${missing.join(' and ')}, found ${header.map((name) => `'${name}'`).join(', ')}`,
    );
  return header;
}

function problemOf(caption: string, gold: string): string | undefined {
  if (caption.trim() === '') return 'empty caption';
  const problem = factualProblem(gold);
  return problem && `scene_graph: ${problem}`;
}
