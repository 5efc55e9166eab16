import { createReadStream } from 'node:fs';
import { type CsvError, parse } from 'csv-parse';
import { InputError } from '../../errors.js';
import { factualProblem } from '../../records/factual-graph.js';
import type { GoldCaption } from './evaluate-parser.js';

/** A row that can't be used. */
export interface RejectedRow {
  /** The line on which it ends, from 1. */
  readonly line: number;
  readonly problem: string;
}

const COLUMNS = ['caption', 'scene_graph'] as const;

/**
 * Reads captions and their graphs from a CSV file with the columns `caption` and `scene_graph`; others are passed over.
 *
 * @param onBadRow told of every row that is left out: another number of fields than the head, no caption, a graph that is
 *   not in FACTUAL's form
 * @throws InputError where the file can't be read, is no CSV or lacks a column
 */
export async function* goldCaptions(file: string, onBadRow: (row: RejectedRow) => void): AsyncGenerator<GoldCaption> {
  const rows = createReadStream(file).on('error', (error) => csv.destroy(error));
  const csv = parse({ bom: true, info: true, relax_column_count: true, skip_empty_lines: true });
  let head: readonly string[] | undefined;
  try {
    for await (const { record, info } of rows.pipe(csv) as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      if (head === undefined) {
        head = headOf(file, record);
        continue;
      }
      const [caption, gold] = COLUMNS.map((column) => record[head!.indexOf(column)] ?? '') as [string, string];
      const problem =
        record.length === head.length ? problemOf(caption, gold) : `${record.length} fields, expected ${head.length}`;
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
  if (head === undefined) throw new InputError(file, 'empty, expected a head with the columns caption and scene_graph');
}

function headOf(file: string, record: readonly string[]): readonly string[] {
  const head = record.map((name) => name.trim());
  const missing = COLUMNS.filter((column) => !head.includes(column));
  if (missing.length > 0)
    throw new InputError(
      file,
      `no column ${missing.join(' and ')}, found ${head.map((name) => `'${name}'`).join(', ')}`,
    );
  return head;
}

function problemOf(caption: string, gold: string): string | undefined {
  if (caption.trim() === '') return 'no caption';
  const problem = factualProblem(gold);
  return problem && `scene_graph: ${problem}`;
}
