import { createReadStream } from 'node:fs';
import { type CsvError, parse } from 'csv-parse';
import { InputError } from '../errors.js';

/** A row of a CSV file that cannot be used. */
export interface RejectedRow {
  /** The line on which the row ends, counted from 1. */
  readonly line: number;
  readonly problem: string;
}

/** A row with its fields by the name of their column. */
export interface CsvRow {
  readonly line: number;
  readonly fields: ReadonlyMap<string, string>;
}

/** Maximum length of a row in characters. */
const MAX_RECORD = 1_000_000;

/**
 * Reads the rows of a CSV file with a header.
 *
 * @param columns that the header must have
 * @param onBadRow receives every row whose number of fields differs from the header's
 * @throws InputError when the file cannot be read, is not valid CSV or lacks a column
 */
export async function* csvRows(
  file: string,
  columns: readonly string[],
  onBadRow: (row: RejectedRow) => void,
): AsyncGenerator<CsvRow> {
  let header: readonly string[] | undefined;
  for await (const { record, line } of csvRecords(file)) {
    if (header === undefined) header = headerOf(file, record, columns);
    else if (record.length === header.length)
      yield { line, fields: new Map(header.map((name, k) => [name, record[k]!])) };
    else onBadRow({ line, problem: `${record.length} fields, expected ${header.length}` });
  }
  if (header === undefined)
    throw new InputError(file, `empty file, expected a header with the columns ${columns.join(' and ')}`);
}

/**
 * Reads the records of a CSV file as lists of fields, each with the line on which it ends, counted from 1.
 * @throws InputError when the file cannot be read or is not valid CSV
 */
export async function* csvRecords(
  file: string,
): AsyncGenerator<{ readonly record: readonly string[]; readonly line: number }> {
  const rows = createReadStream(file).on('error', (error) => csv.destroy(error));
  const csv = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    max_record_size: MAX_RECORD,
    skip_empty_lines: true,
  });
  try {
    for await (const { record, info } of rows.pipe(csv) as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>)
      yield { record, line: info.lines };
  } catch (error) {
    throw inputError(file, error);
  } finally {
    rows.destroy();
  }
}

/**
 * Reads the names of the columns of a CSV file.
 * @throws InputError when the file cannot be read or is not valid CSV
 */
export async function csvColumns(file: string): Promise<readonly string[]> {
  for await (const { record } of csvRecords(file)) return namesOf(record);
  return [];
}

const namesOf = (record: readonly string[]): string[] => record.map((name) => name.trim());

function inputError(file: string, error: unknown): unknown {
  const { code, message } = error as CsvError | NodeJS.ErrnoException;
  if (error instanceof InputError || code === undefined) return error;
  return new InputError(file, code === 'ENOENT' ? 'no such file' : message, undefined, { cause: error });
}

function headerOf(file: string, record: readonly string[], columns: readonly string[]): readonly string[] {
  const header = namesOf(record);
  const missing = columns.filter((column) => !header.includes(column));
  if (missing.length > 0)
    throw new InputError(
      file,
      `missing column ${missing.join(' and ')}, found ${header.map((name) => `'${name}'`).join(', ')}`,
    );
  return header;
}
