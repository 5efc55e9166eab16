import { InputError } from '../errors.js';
import { describeContent } from '../files/json/describe-content.js';
import { firstBytes } from '../files/json/first-bytes.js';
import { jsonLines, textLines } from '../files/json/json-lines.js';
import { fieldsOf, formatJsonValue } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import type { EntryKey } from '../files/spools/image-entry-index.js';

/** The captions of an image in one file, or one of them. */
export interface CaptionEntry extends EntryKey {
  /**
   * Unchecked, but a list if the file has a list or a single text. Omitted for an entry that only gives the file of an
   * image that other entries name by id.
   */
  readonly texts?: unknown;
}

/** The forms of caption files that are read, for messages. */
export const captionForms =
  'expected COCO\'s {"annotations": [{"image_id", "caption"}]}, {"<image>": ["caption", …]}, ' +
  'a list or JSON lines of {"image_id" or "file_name", "caption"}, Karpathy\'s {"images": [{"filename", "sentences"}]}, ' +
  'or CSV with a header such as file,caption';

/**
 * Yields the captions of a file in batches, whatever its form, which its content decides: see `captionForms`.
 * @throws InputError if the file is of another form or cannot be read
 */
export async function* readCaptionForms(
  file: string,
  signal?: AbortSignal,
): AsyncGenerator<CaptionEntry[], void, void> {
  let elements = 0;
  let usable = 0;
  let example: unknown;
  for await (const batch of readCaptionElements(file, signal ? { signal } : {})) {
    for (const { element, entry } of batch) {
      if (!(entry && entry.texts === undefined) && elements++ === 0) example = element;
    }
    const entries = batch.flatMap(({ entry }) => entry ?? []);
    usable += batch.filter(({ entry, isMalformed }) => entry && !isMalformed).length;
    yield entries;
  }
  if (elements > 0 && usable === 0) {
    throw new InputError(file, `no captions found, the first entry is ${formatJsonValue(example)}; ${captionForms}`);
  }
}

/** An element of a file, and the captions that it gives, if any. */
export interface CaptionElement {
  readonly element: unknown;
  readonly entry: CaptionEntry | null;
  /** True if the entry names an image but its value is not captions. */
  readonly isMalformed?: boolean;
}

type Limits = { readonly signal?: AbortSignal };

/**
 * Yields the elements of a caption file in batches, each with the captions that it gives, if any.
 * @throws InputError if the file is of another form or cannot be read
 */
export async function* readCaptionElements(file: string, limits: Limits = {}): AsyncGenerator<CaptionElement[]> {
  const start = await startOf(file);
  if (start.kind === 'list') {
    for await (const { values } of streamJson(file, { layout: 'list', ...limits })) yield values.map(readElement);
  } else if (start.kind === 'lines') {
    for await (const { value } of jsonLines(file, limits)) yield [readElement(value)];
  } else if (start.kind === 'object') yield* readObject(file, limits);
  else yield* readTable(file, limits);
}

async function* readObject(file: string, limits: Limits): AsyncGenerator<CaptionElement[]> {
  let hasSections = false;
  const layout = ['annotations', 'images'];
  for await (const { section, values } of streamJson(file, { layout, required: [], ...limits })) {
    // COCO's `images` have no captions; Karpathy's have them all.
    const hasCaptions =
      section === 'annotations' || values.some((value) => first(fieldsOf(value), imageCaptionNames) !== undefined);
    if (hasCaptions) hasSections = true;
    yield values.map(hasCaptions ? readElement : readName);
  }
  if (hasSections) return;
  for await (const { keys, values } of streamJson(file, { layout: 'map', ...limits })) {
    yield values.flatMap((value, index) => readMapEntry(keys[index] as string, value));
  }
}

/** Keys of an object that is around the captions. */
export const wrappers: readonly string[] = ['captions', 'data', 'results', 'items'];

/** Reads an entry of an object: an image and its captions, or the list or map of all captions. */
function readMapEntry(key: string, value: unknown): CaptionElement[] {
  if (wrappers.includes(key)) {
    if (Array.isArray(value) && value.some((one) => readElement(one).entry)) return value.map(readElement);
    if (isObject(value)) return Object.entries(value).flatMap(([image, texts]) => readMapEntry(image, texts));
  }
  const texts = textsOf(value);
  const entry = { id: key, texts: texts ?? value };
  return [{ element: { [key]: value }, entry, isMalformed: texts === undefined }];
}

/** Reads an element of COCO's `images`, which gives the file of an image. */
function readName(element: unknown): CaptionElement {
  const { id, file_name: file } = fieldsOf(element);
  return { element, entry: { id, file }, isMalformed: true };
}

/** Reads an object that names its image and has captions. */
function readElement(element: unknown): CaptionElement {
  const fields = fieldsOf(element);
  return readFields(element, fields) ?? readFields(element, lowerCased(fields)) ?? { element, entry: null };
}

function readFields(element: unknown, fields: Readonly<Record<string, unknown>>): CaptionElement | undefined {
  const captions = textsIn(fields);
  if (captions === undefined) return undefined;
  const name = first(fields, fileNames);
  // An `id` may be that of a caption, if something else names the image.
  const id = first(fields, idNames) ?? (typeof name === 'string' ? undefined : (fields['id'] ?? fields['key']));
  const folder = fields['filepath'];
  const file = typeof folder === 'string' && typeof name === 'string' ? `${folder}/${name}` : name;
  if ((id === undefined || id === null) && typeof file !== 'string') return undefined;
  return { element, entry: { id, file, texts: textsOf(captions) ?? [captions] } };
}

const lowerCased = (fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key.toLowerCase(), value]));

function first(fields: Readonly<Record<string, unknown>>, names: readonly string[]): unknown {
  for (const name of names) if (fields[name] !== undefined) return fields[name];
  return undefined;
}

const idNames = ['image_id', 'imageid', 'imageId', 'cocoid'];
const fileNames = [
  'file_name',
  'filename',
  'file',
  'image',
  'image_name',
  'image_path',
  'img',
  'path',
  'url',
  'image_url',
];
const captionNames = [
  'caption',
  'captions',
  'sentences',
  'text',
  'description',
  'comment',
  'generated_text',
  'pred_caption',
  'caption_str',
];

const captionKeys = new Set(captionNames);
const imageKeys = new Set([...idNames, ...fileNames, 'id', 'key'].map((name) => name.toLowerCase()));

/** Returns whether the names of an object's fields or of a table's columns include those of an image and of captions. */
export function haveCaption(names: readonly string[]): boolean {
  const lower = names.map((name) => name.toLowerCase());
  return lower.some((name) => captionKeys.has(name)) && lower.some((name) => imageKeys.has(name));
}

/** Those of elements of `images`, which may also have other texts. */
const imageCaptionNames = ['sentences', 'captions', 'caption'];

/** Returns the value of an object that is its caption or captions. */
const textsIn = (fields: Readonly<Record<string, unknown>>) => first(fields, captionNames);

/** Returns a list of texts, some of which may be invalid; undefined if the value is neither a text nor a list. */
function textsOf(value: unknown): readonly unknown[] | undefined {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.map((one) => (isObject(one) ? textOf(one) : one));
  if (!isObject(value)) return undefined;
  const inner = textsIn(value);
  return inner === undefined ? undefined : textsOf(inner);
}

function textOf(sentence: Readonly<Record<string, unknown>>): unknown {
  return sentence['raw'] ?? sentence['caption'] ?? sentence['text'] ?? sentence;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads a table whose header names the columns of the image and of the caption, separated by commas, tabs, `;` or `|`. */
async function* readTable(file: string, limits: Limits): AsyncGenerator<CaptionElement[]> {
  let columns: Columns | undefined;
  let open: OpenRow | undefined;
  let batch: CaptionElement[] = [];
  for await (const { text, line } of textLines(file, limits)) {
    if (!columns) {
      columns = columnsOf(text);
      if (!columns) throw new InputError(file, `the first line is ${formatJsonValue(text)}; ${captionForms}`);
      if (columns.hasHeader) continue;
    }
    const cells = cellsOf(text.replace(/\r$/, ''), columns, open);
    // A quoted cell may contain line breaks.
    open = Array.isArray(cells) ? undefined : cells;
    if (open && open.length > maxRow) throw new InputError(file, `line ${line}: a quoted cell does not end`);
    if (Array.isArray(cells)) batch.push(readRow(cells, columns));
    if (batch.length < 1000) continue;
    yield batch;
    batch = [];
  }
  if (open) throw new InputError(file, 'the last quoted cell does not end');
  yield batch;
}

interface Columns {
  readonly delimiter: string;
  readonly id: number;
  readonly file: number;
  readonly caption: number;
  readonly count: number;
  readonly hasHeader: boolean;
}

const maxRow = 1_000_000;

/** The first line of a table without a header, such as Flickr8k's `1000268201_693b08cb0e.jpg#0<tab>caption`. */
const rowWithoutHeader = /^[^,\t|;]+\.(?:jpe?g|png|webp|bmp)(?:#\d+)?([,\t|;])/i;

const unquoted = (cell: string) => cell.trim().replace(/^"(.*)"$/, '$1');

/** Returns whether a text starts as a table of captions does, with a header or with the file of an image. */
export function isCaptionTable(text: string): boolean {
  const [line = ''] = text.split('\n', 1);
  return haveCaption(line.split(/[,\t|;]/).map(unquoted)) || rowWithoutHeader.test(line);
}

function columnsOf(header: string): Columns | undefined {
  for (const delimiter of [',', '\t', '|', ';']) {
    const names = header.split(delimiter).map((name) => unquoted(name).toLowerCase());
    const indexOf = (of: readonly string[]) => names.findIndex((name) => of.includes(name));
    const [id, file, caption] = [indexOf([...idNames, 'id']), indexOf(fileNames), indexOf(captionNames)];
    if (caption !== -1 && (id !== -1 || file !== -1)) {
      return { delimiter, id, file, caption, count: names.length, hasHeader: true };
    }
  }
  const [, delimiter] = rowWithoutHeader.exec(header) ?? [];
  return delimiter === undefined ? undefined : { delimiter, id: -1, file: 0, caption: 1, count: 2, hasHeader: false };
}

function readRow(cells: readonly string[], { id, file, caption, count, delimiter }: Columns): CaptionElement {
  // A caption in the last column may contain the delimiter without quotes.
  const text = caption === count - 1 ? cells.slice(caption).join(delimiter) : cells[caption];
  const cell = (index: number) => (index === -1 ? undefined : cells[index]?.trim() || undefined);
  const key = { id: cell(id), file: cell(file) };
  const hasKey = key.id !== undefined || key.file !== undefined;
  return { element: cells, entry: hasKey && text !== undefined ? { ...key, texts: [text.trim()] } : null };
}

/** A row whose last cell is in quotes that have not ended. */
interface OpenRow {
  readonly cells: string[];
  /** The text of the last cell so far. */
  readonly cell: string;
  /** The number of characters of the row so far. */
  readonly length: number;
}

/**
 * Splits a line into cells, of which some are in quotes.
 * @param open the row that the line continues
 * @returns the cells of the row, or the row so far if its last quote does not end
 */
function cellsOf(line: string, { delimiter }: Columns, open?: OpenRow): string[] | OpenRow {
  const cells = open?.cells ?? [];
  let quoted = open?.cell;
  for (let at = 0; at <= line.length; ) {
    if (quoted === undefined && line[at] === '"') {
      quoted = '';
      at++;
    }
    if (quoted !== undefined) {
      for (;;) {
        const quote = line.indexOf('"', at);
        if (quote === -1) {
          const length = (open?.length ?? 0) + line.length + 1;
          return { cells, cell: `${quoted}${line.slice(at)}\n`, length };
        }
        quoted += line.slice(at, quote);
        at = quote + 1;
        if (line[at] !== '"') break;
        quoted += '"';
        at++;
      }
    }
    const end = line.indexOf(delimiter, at);
    cells.push((quoted ?? '') + (end === -1 ? line.slice(at) : line.slice(at, end)));
    quoted = undefined;
    if (end === -1) break;
    at = end + 1;
  }
  return cells;
}

/**
 * Returns the kind of a file by its first value.
 * @throws InputError that names a file that has no text of any form
 */
async function startOf(file: string): Promise<{ kind: 'list' | 'object' | 'lines' | 'table' }> {
  const bytes = await firstBytes(file, 256 * 1024);
  const other = describeContent(bytes);
  if (other) {
    const advice = other.advice === undefined ? '' : `: ${other.advice}`;
    throw new InputError(file, `the file is ${other.kind}${advice}; ${captionForms}`);
  }
  const first = bytes
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  if (first === '' || first[0] === '[') return { kind: 'list' };
  if (first[0] !== '{') return { kind: 'table' };
  const [line = '', ...others] = first.split('\n');
  const value = fieldsOf(tryParse(line));
  const isOne = captionNames.some((name) => name in value) && [...idNames, ...fileNames].some((name) => name in value);
  const next = others.find((other) => other.trim() !== '')?.trimStart();
  return { kind: tryParse(line) !== undefined && (isOne || next?.[0] === '{') ? 'lines' : 'object' };
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
