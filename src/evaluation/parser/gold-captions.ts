import { csvRows, type RejectedRow } from '../../files/csv-rows.js';
import { factualProblem } from '../../records/factual-graph.js';
import type { GoldCaption } from './evaluate-parser.js';

const COLUMNS = ['caption', 'scene_graph'] as const;

/**
 * Reads captions and their graphs from a CSV file with the columns `caption` and `scene_graph`; other columns are ignored.
 * FACTUAL's files and DiscoSG's descriptions have this form.
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
  for await (const { line, fields } of csvRows(file, COLUMNS, onBadRow)) {
    const [caption, gold] = COLUMNS.map((column) => fields.get(column)!) as [string, string];
    const problem = problemOf(caption, gold);
    if (problem === undefined) yield { caption, gold };
    else onBadRow({ line, problem });
  }
}

function problemOf(caption: string, gold: string): string | undefined {
  if (caption.trim() === '') return 'empty caption';
  const problem = factualProblem(gold);
  return problem && `scene_graph: ${problem}`;
}
