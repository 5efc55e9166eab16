import type { RejectedRow } from '../evaluation/index.js';
import type { CommandContext } from './command-context.js';

const MOST_NAMED = 20;

/** Names the rows of a CSV file that were skipped. */
export function noteBadRows(context: CommandContext, file: string, rows: readonly RejectedRow[]): void {
  if (rows.length === 0) return;
  context.printNote(`${file}: ${rows.length} invalid rows skipped`);
  for (const { line, problem } of rows.slice(0, MOST_NAMED)) context.printNote(`  line ${line}: ${problem}`);
  if (rows.length > MOST_NAMED) context.printNote(`  and ${rows.length - MOST_NAMED} more`);
}
