import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';

/** Reads captions: the column `caption` of a CSV file, the annotations of a JSON file in COCO's format, or the lines of another file. */
export function readCaptions(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  if (file.endsWith('.json'))
    return (JSON.parse(text) as { annotations: { caption: string }[] }).annotations.map(({ caption }) => caption);
  if (file.endsWith('.csv'))
    return (parse(text, { columns: true }) as { caption: string }[]).map(({ caption }) => caption);
  return text.split('\n').filter((line) => line !== '');
}
