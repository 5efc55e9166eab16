import Table from 'cli-table3';
import { visibleText } from './visible-text.js';

/** Formats the lines of a table without borders; columns of numbers are right-aligned. */
export function tableLines(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const numeric = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  const drawn = new Table({
    head: head.map(visibleText),
    colAligns: numeric.map((is) => (is ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: EMPTY,
  });
  drawn.push(...rows.map((row) => row.map(cellText)));
  return drawn.toString().replace(/ +$/gm, '').split('\n');
}

/** Cells with control characters would be wider on the screen than in the table. */
const cellText = (cell: string | number) =>
  typeof cell === 'number' ? cell.toLocaleString('en-US') : visibleText(cell);

const PLACES = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
] as const;
const MORE_PLACES = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'] as const;
const EMPTY = Object.fromEntries([...PLACES, ...MORE_PLACES].map((place) => [place, '']));
