import { InputError } from '../../errors.js';
import { readerLimits } from '../reader-limits.js';
import { ByteReader } from './byte-reader.js';
import { ByteWindow } from './byte-window.js';
import { JsonContainer, type JsonElements } from './json-container.js';
import { JsonCursor, jsonLinesKind, wholeFile } from './json-cursor.js';
import { byte } from './json-scanner.js';
import { maxJsonDepth } from './parse-json.js';

/** Options of `streamJson`. */
export interface JsonStreamOptions {
  /**
   * The structure of the file: one array (`'list'`), one object with arbitrary keys (`'map'`), or an object in which
   * the given keys hold the arrays to read. Other keys are skipped.
   */
  readonly layout: 'list' | 'map' | readonly string[];
  /** The keys of `layout` that must be present. Default: all. */
  readonly required?: readonly string[];
  /** Keys of the elements whose arrays and objects are returned empty, which is cheaper than parsing them. */
  readonly skippedKeys?: readonly string[];
  /** The maximum size of an element, or of a value of a map, in bytes. Default: see `readerLimits`, 16 MiB. */
  readonly maxValueBytes?: number;
  /** How many times larger than a gzip file its content may be. Default: see `readerLimits`, 200. */
  readonly maxCompressionRatio?: number;
  /** The maximum nesting depth of an element. Default 512. */
  readonly maxDepth?: number;
  /** Stops the reading between two reads, with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called after each read with the number of bytes on disk read so far and in total. */
  readonly onRead?: (done: number, total: number) => void;
}

/** Consecutive elements of one array. */
export interface JsonBatch extends JsonElements {
  /** The key of the array; empty for a list or a map. */
  readonly section: string;
}

const topLevelObject = 'the top-level object';

/**
 * Reads a JSON file of any size, gzip or not, as batches of parsed elements in file order. Memory holds one batch, or
 * one element if that is larger. An array without elements yields one empty batch, so that the caller sees its position
 * in the file. Python's `NaN`, `Infinity` and `-Infinity` become null, and infinite in a field `score`; a whole number in a
 * field that exceeds 2^53 becomes its digits as a string.
 *
 * @throws InputError with the byte offset in the decompressed file, if the file cannot be read, is truncated, is not
 * JSON, has another structure, lacks a required array, expands too much, or if an element is too long or nested too
 * deeply
 */
export async function* streamJson(file: string, options: JsonStreamOptions): AsyncGenerator<JsonBatch, void, void> {
  const {
    layout,
    required,
    skippedKeys = [],
    maxValueBytes = readerLimits().maxElementBytes,
    maxCompressionRatio,
    maxDepth = maxJsonDepth,
    signal,
    onRead,
  } = options;
  const reader = await ByteReader.open(file, maxCompressionRatio);
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
      const others: string[] = [];
      yield* sections(cursor, layout, seen, others, skippedKeys);
      const missing = (required ?? layout).find((key) => !seen.has(key));
      if (missing !== undefined && (await cursor.peek()) === byte.openBrace) {
        throw new InputError(file, `the file is ${jsonLinesKind}, expected one object with the array '${missing}'`);
      }
      if (missing !== undefined) {
        const found = [...seen, ...others].map((key) => `'${key}'`).join(', ');
        throw new InputError(
          file,
          `the array '${missing}' is missing, ${found === '' ? 'the object is empty' : `found ${found}`}`,
        );
      }
    }
    const after = await cursor.peek();
    if (after === byte.openBrace && layout !== 'list')
      cursor.fail(`the file is ${jsonLinesKind}, expected one object; a second one begins`);
    if (after !== undefined) cursor.fail('unexpected text after the end of the JSON');
  } finally {
    await reader.close();
  }
}

async function* sections(
  cursor: JsonCursor,
  layout: readonly string[],
  seen: Set<string>,
  others: string[],
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
    if (!layout.includes(key)) {
      if (others.length < 5) others.push(key.slice(0, 40));
      await skip(cursor, `the value of '${key}'`);
    } else {
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

/** Skips a value of any size; only its elements must be within the limits. */
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
