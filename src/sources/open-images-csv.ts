import { InputError } from '../errors.js';
import { csvRecords, csvRows } from '../files/csv-rows.js';
import { firstBytes } from '../files/json/first-bytes.js';
import { GroupSpool, spoolPayloadLength } from '../files/spools/group-spool.js';
import { IdIndex } from '../files/spools/id-index.js';
import type { Corners } from '../records/corners.js';
import { increment } from '../records/increment.js';
import type { SourceContext } from '../records/ports.js';

/** The relations of an image of Open Images' CSV file. */
export interface OpenImagesRows {
  readonly image: string;
  /** Labels as written (`/m/04yx4`), and boxes as fractions of the image. Equal ones are one object. */
  readonly objects: readonly { readonly label: string; readonly box: Corners }[];
  readonly relations: readonly { readonly subject: number; readonly object: number; readonly predicate: string }[];
  /** Rows that give an attribute of an object (`is`), and rows that cannot be used. */
  readonly counts: Readonly<Record<string, number>>;
}

const columns = [
  'ImageID',
  'LabelName1',
  'LabelName2',
  'XMin1',
  'XMax1',
  'YMin1',
  'YMax1',
  'XMin2',
  'XMax2',
  'YMin2',
  'YMax2',
  'RelationshipLabel',
] as const;

/** Returns whether a file starts with a column of the original form. */
export async function isOpenImagesCsv(file: string): Promise<boolean> {
  return /^\ufeff?"?ImageID"?,/.test((await firstBytes(file, 64)).toString('utf8'));
}

/** A row: both labels, the predicate and the corners of both boxes. */
type Row = readonly [subject: string, object: string, predicate: string, ...corners: number[]];

/**
 * Reads the relations of Open Images from its CSV file, `oidv6-train-annotations-vrd.csv` or another. The rows of an image may be
 * anywhere in the file; memory does not grow with it. Images come in the order of their first rows.
 *
 * @throws InputError if the file cannot be read, is not CSV or lacks a column
 */
export async function* openImagesRows(
  file: string,
  context: SourceContext,
): AsyncGenerator<OpenImagesRows, void, void> {
  const images = new IdIndex();
  const names: string[] = [];
  const bad = new Map<number, number>();
  const spool = new GroupSpool({ tempDir: context.tempDir });
  let malformed = 0;
  try {
    for await (const { fields } of csvRows(file, columns, () => malformed++)) {
      context.signal.throwIfAborted();
      const [image = '', subject = '', object = '', ...rest] = columns.map((name) => fields.get(name)!);
      const predicate = rest.pop()!;
      const corners = rest.map(Number);
      if (image === '') {
        malformed++;
        continue;
      }
      let group = images.get(image);
      if (group === undefined) {
        group = images.add(image)!;
        names.push(image);
        // So that an image without usable rows is yielded.
        spool.append(group, Buffer.from('[]'));
      }
      if (subject === '' || object === '' || predicate === '' || !rest.every(isNumber)) {
        increment(bad, group);
        continue;
      }
      spool.append(group, Buffer.from(JSON.stringify([subject, object, predicate, ...corners] satisfies Row)));
      await spool.flush();
    }
    if (names.length === 0) throw new InputError(file, 'has no row with an image');
    for await (const { number, view, starts } of spool.groups()) {
      const rows = Array.from(starts, (start) => rowAt(view, start)).slice(1);
      const counts = { ...(number === 0 && malformed > 0 && { 'malformed-row': malformed }) };
      const unusable = bad.get(number) ?? 0;
      yield imageOf(names[number]!, rows, {
        ...counts,
        ...(unusable > 0 && { 'malformed-row': unusable + (counts['malformed-row'] ?? 0) }),
      });
    }
  } finally {
    await spool.close();
  }
}

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text));

function rowAt(view: DataView, start: number): Row {
  const length = spoolPayloadLength(view, start);
  return JSON.parse(Buffer.from(view.buffer, view.byteOffset + start, length).toString('utf8'));
}

function imageOf(image: string, rows: readonly Row[], given: Readonly<Record<string, number>>): OpenImagesRows {
  const objects: { label: string; box: Corners }[] = [];
  const indices = new Map<string, number>();
  const indexOf = (label: string, [x1, x2, y1, y2]: readonly number[]) => {
    const key = JSON.stringify([label, x1, x2, y1, y2]);
    const known = indices.get(key);
    if (known !== undefined) return known;
    indices.set(key, objects.length);
    return objects.push({ label, box: [x1!, y1!, x2!, y2!] }) - 1;
  };
  const counts: Record<string, number> = { ...given };
  const relations: { subject: number; object: number; predicate: string }[] = [];
  for (const [subject, object, predicate, ...corners] of rows) {
    const from = indexOf(subject, corners.slice(0, 4));
    // An attribute, such as wooden: it has no box of its own, and the benchmarks leave it out.
    if (predicate === 'is') counts['attribute'] = (counts['attribute'] ?? 0) + 1;
    else relations.push({ subject: from, object: indexOf(object, corners.slice(4)), predicate });
  }
  return { image, objects, relations, counts };
}

/**
 * Reads the names of labels: `oidv6-class-descriptions.csv`, or `class-descriptions-boxable.csv`, which has no header.
 * @throws InputError if the file cannot be read, is not CSV of two columns, or has no row
 */
export async function openImagesNames(file: string): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for await (const { record, line } of csvRecords(file)) {
    const [label = '', name = '', ...more] = record;
    if (label === 'LabelName') continue;
    if (label === '' || name === '' || more.length > 0)
      throw new InputError(file, `line ${line} has ${record.length} fields, expected a label and its name`);
    names.set(label, name);
  }
  if (names.size === 0) throw new InputError(file, 'has no row, expected labels and their names');
  return names;
}
