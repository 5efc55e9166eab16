import { InputError } from '../../errors.js';
import { ByteReader } from './byte-reader.js';
import { ByteWindow } from './byte-window.js';
import { JsonContainer, type JsonElements } from './json-container.js';
import { JsonCursor, wholeFile } from './json-cursor.js';
import { byte } from './json-scanner.js';

/** What `streamJson` is told of a file. */
export interface JsonStreamOptions {
  /**
   * What the file is: one array (`'list'`), an object of any keys (`'map'`), or an object of which some keys hold the
   * arrays to read, by name. Other keys are stepped over unread.
   */
  readonly layout: 'list' | 'map' | readonly string[];
  /** Which of the named arrays must be there; all of them unless given. */
  readonly required?: readonly string[];
  /** Keys of the elements whose arrays and objects come out empty, which costs less than reading them. */
  readonly skippedKeys?: readonly string[];
  /** The longest element, or value of a map, in bytes; 256 MiB unless given. */
  readonly maxValueBytes?: number;
  /** How many brackets may be open at once in an element; 512 unless given. */
  readonly maxDepth?: number;
  /** Stops between two reads, with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called as the file is read, with bytes on disk. */
  readonly onRead?: (done: number, total: number) => void;
}

/** Some elements in a row. */
export interface JsonBatch extends JsonElements {
  /** The key of the array that they are in; empty in a list or a map. */
  readonly section: string;
}

const topLevelObject = 'the top-level object';

/**
 * Reads a JSON file of any size, gzip or not, as batches of parsed elements, in file order. Memory holds one batch, or
 * one element where that is larger. An array without elements yields one empty batch, so that its place in the file is
 * seen. Python's bare `NaN`, `Infinity` and `-Infinity` come out as null. Bytes that are not UTF-8 come out as U+FFFD.
 *
 * @throws InputError with the byte offset in the decompressed file: it can't be read, is cut off, is not JSON, is laid
 * out otherwise, lacks a required array, or an element is too long or nested too deeply
 */
export async function* streamJson(file: string, options: JsonStreamOptions): AsyncGenerator<JsonBatch, void, void> {
  const {
    layout,
    required,
    skippedKeys = [],
    maxValueBytes = 256 * 1024 * 1024,
    maxDepth = 512,
    signal,
    onRead,
  } = options;
  const reader = await ByteReader.open(file);
  try {
    const window = new ByteWindow(reader, () => {
      signal?.throwIfAborted();
      onRead?.(reader.consumed, reader.size);
    });
    const cursor = new JsonCursor(file, window, { maxValueBytes, maxDepth });
    await cursor.skipByteOrderMark();
    if (layout === 'list') {
      await cursor.open(byte.openBracket, wholeFile, 'a list');
      yield* withSection('', new JsonContainer(cursor, byte.closeBracket, 'the top-level array', skippedKeys));
    } else if (layout === 'map') {
      await cursor.open(byte.openBrace, wholeFile, 'an object');
      yield* withSection('', new JsonContainer(cursor, byte.closeBrace, topLevelObject, skippedKeys));
    } else {
      await cursor.open(byte.openBrace, wholeFile, 'an object');
      const seen = new Set<string>();
      yield* sections(cursor, layout, seen, skippedKeys);
      const missing = (required ?? layout).find((key) => !seen.has(key));
      if (missing !== undefined) throw new InputError(file, `the array '${missing}' is missing`);
    }
    if ((await cursor.peek()) !== undefined) cursor.fail('unexpected text after the end of the JSON');
  } finally {
    await reader.close();
  }
}

async function* sections(
  cursor: JsonCursor,
  wanted: readonly string[],
  seen: Set<string>,
  skippedKeys: readonly string[],
): AsyncGenerator<JsonBatch> {
  const { window } = cursor;
  for (let first = true; ; first = false) {
    const next = await cursor.requireByte(topLevelObject);
    if (next === byte.closeBrace) break;
    if (!first) {
      if (next !== byte.comma) cursor.fail(`expected ',' or '}' in ${topLevelObject}`);
      window.position++;
    }
    const key = await cursor.key(topLevelObject);
    if (!wanted.includes(key)) await skip(cursor, `the value of '${key}'`);
    else {
      if (seen.has(key)) cursor.fail(`the key '${key}' occurs twice`);
      seen.add(key);
      await cursor.open(byte.openBracket, `'${key}'`, 'an array');
      yield* withSection(key, new JsonContainer(cursor, byte.closeBracket, `the array '${key}'`, skippedKeys));
    }
  }
  window.position++;
}

async function* withSection(section: string, container: JsonContainer): AsyncGenerator<JsonBatch> {
  for await (const elements of container.batches()) yield { section, ...elements };
}

/** Steps over a value of any size: only its elements must be within bounds. */
async function skip(cursor: JsonCursor, name: string): Promise<void> {
  const next = await cursor.requireByte(name);
  if (next === byte.openBracket || next === byte.openBrace) {
    cursor.window.position++;
    const close = next === byte.openBracket ? byte.closeBracket : byte.closeBrace;
    await new JsonContainer(cursor, close, name).skip();
  } else {
    const { text, at } = await cursor.scalar(name);
    cursor.parse(text, name, at);
  }
}
