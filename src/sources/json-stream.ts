import { isAscii } from 'node:buffer';
import { InputError } from '../errors.js';
import { bareNumbersAsNull } from './bare-numbers.js';
import { ByteReader } from './byte-reader.js';
import { byte, endOfString, endOfValue, skipSpace, tooDeep, unfinished } from './json-scanner.js';
import { JsonWindow } from './json-window.js';

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
  readonly emptied?: readonly string[];
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
export interface JsonBatch {
  /** The key of the array that they are in; empty in a list or a map. */
  readonly section: string;
  /** Position of the first one, from 0. */
  readonly first: number;
  readonly values: readonly unknown[];
  /** A map's keys, one a value; else empty. */
  readonly keys: readonly string[];
}

/** Text is parsed in pieces of about this many bytes: few calls, and values that die young. */
const batchBytes = 64 * 1024;

/**
 * Reads a JSON file of any size, gzip or not, as batches of parsed elements, in file order. Memory holds one batch, or
 * one element where that is larger. An array without elements yields one empty batch, so that its place in the file is
 * seen. Python's bare `NaN`, `Infinity` and `-Infinity` come out as null. Bytes that are not UTF-8 come out as U+FFFD.
 *
 * @throws InputError with the byte offset in the decompressed file: it can't be read, is cut off, is not JSON, is laid
 * out otherwise, lacks a required array, or an element is too long or nested too deeply
 */
export async function* streamJson(file: string, options: JsonStreamOptions): AsyncGenerator<JsonBatch, void, void> {
  const reader = await ByteReader.open(file);
  try {
    yield* new JsonFile(file, reader, options).batches();
  } finally {
    await reader.close();
  }
}

/** Whole values that lie in the window, from one index to another. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly ends: 'unfinished' | 'full' | 'closed';
}

class JsonFile {
  readonly #file: string;
  readonly #options: JsonStreamOptions;
  readonly #window: JsonWindow;
  readonly #heavy: readonly Buffer[];
  readonly #maxValueBytes: number;
  readonly #maxDepth: number;
  /** Whether a comma must come before the next value. */
  #afterValue = false;
  /** Whether a value must come next. */
  #afterComma = false;

  constructor(file: string, reader: ByteReader, options: JsonStreamOptions) {
    this.#file = file;
    this.#options = options;
    this.#heavy = (options.emptied ?? []).map((key) => Buffer.from(JSON.stringify(key)));
    this.#maxValueBytes = options.maxValueBytes ?? 256 * 1024 * 1024;
    this.#maxDepth = options.maxDepth ?? 512;
    this.#window = new JsonWindow(reader, () => {
      options.signal?.throwIfAborted();
      options.onRead?.(reader.consumed, reader.size);
    });
  }

  async *batches(): AsyncGenerator<JsonBatch> {
    const { layout } = this.#options;
    await this.#skipByteOrderMark();
    if (layout === 'list') {
      await this.#open(byte.openBracket, 'the file', 'a list');
      yield* this.#elements(byte.closeBracket, 'the top-level array', '');
    } else {
      await this.#open(byte.openBrace, 'the file', layout === 'map' ? 'a map' : 'an object');
      if (layout === 'map') yield* this.#elements(byte.closeBrace, 'the top-level object', '');
      else yield* this.#sections(layout);
    }
    if ((await this.#next()) !== undefined) this.#fail('unexpected text after the end of the JSON');
  }

  async *#sections(wanted: readonly string[]): AsyncGenerator<JsonBatch> {
    const seen = new Set<string>();
    const object = 'the top-level object';
    for (let first = true; ; first = false) {
      let next = await this.#must(object);
      if (next === byte.closeBrace && first) break;
      if (!first) {
        if (next === byte.closeBrace) break;
        if (next !== byte.comma) this.#fail(`expected ',' or '}' in ${object}`);
        this.#window.position++;
        next = await this.#must(object);
      }
      const key = await this.#key(next, object);
      if (wanted.includes(key)) {
        if (seen.has(key)) this.#fail(`the key '${key}' occurs twice`);
        seen.add(key);
        await this.#open(byte.openBracket, `'${key}'`, 'an array');
        yield* this.#elements(byte.closeBracket, `the array '${key}'`, key);
      } else await this.#skip(`the value of '${key}'`);
    }
    this.#window.position++;
    for (const key of this.#options.required ?? wanted) {
      if (!seen.has(key)) throw new InputError(this.#file, `the array '${key}' is missing`);
    }
  }

  /** Every element up to the closing bracket; stepped over unread where there is no section to yield them for. */
  async *#elements(close: number, name: string, section: string | null): AsyncGenerator<JsonBatch> {
    this.#afterValue = this.#afterComma = false;
    let first = 0;
    for (;;) {
      const { from, to, count, ends } = this.#scan(close, name);
      if (section !== null && (count > 0 || (ends === 'closed' && first === 0))) {
        yield this.#batch(section, first, this.#parse(from, to, name), close === byte.closeBrace);
      }
      first += count;
      if (ends === 'closed') return;
      if (ends === 'unfinished') {
        if (this.#window.end - this.#window.position > this.#maxValueBytes) {
          this.#fail(`element ${first} of ${name} is longer than ${this.#maxValueBytes} bytes`);
        }
        await this.#window.need(`truncated JSON, ${name} does not end`, this.#file);
      }
    }
  }

  /** Steps over whole values until the batch is large, the bracket closes or the bytes at hand end. */
  #scan(close: number, name: string): Run {
    const { bytes, end } = this.#window;
    let i = this.#window.position;
    let from = i;
    let to = i;
    let count = 0;
    const stop = (ends: Run['ends'], position: number): Run => {
      this.#window.position = position;
      return { from, to, count, ends };
    };
    for (;;) {
      i = skipSpace(bytes, i);
      if (i >= end) return stop('unfinished', i);
      if (bytes[i] === close && !this.#afterComma) return stop('closed', i + 1);
      if (this.#afterValue) {
        if (bytes[i] !== byte.comma) this.#fail(`expected ',' or '${String.fromCharCode(close)}' in ${name}`, i);
        this.#afterValue = false;
        this.#afterComma = true;
        // Each batch ends before a comma, so that its text is a list by itself.
        if (to - from > batchBytes) return stop('full', i + 1);
        i++;
        continue;
      }
      const after = this.#endOfElement(i, close === byte.closeBrace, name);
      if (after === unfinished) return stop('unfinished', i);
      if (count++ === 0) from = i;
      this.#afterValue = true;
      this.#afterComma = false;
      to = i = after;
    }
  }

  /** Index after the element at `from`; for an entry of a map its colon is turned into a comma, see `#batch`. */
  #endOfElement(from: number, entry: boolean, name: string): number {
    const { bytes, end } = this.#window;
    let value = from;
    let colon = 0;
    if (entry) {
      if (bytes[from] !== byte.quote) this.#fail(`expected a key in ${name}`, from);
      const afterKey = endOfString(bytes, from, end);
      if (afterKey === unfinished) return unfinished;
      colon = skipSpace(bytes, afterKey);
      if (colon >= end) return unfinished;
      if (bytes[colon] !== byte.colon) this.#fail(`expected ':' in ${name}`, colon);
      value = skipSpace(bytes, colon + 1);
      if (value >= end) return unfinished;
    }
    const after = endOfValue(bytes, value, end, this.#maxDepth, this.#heavy);
    if (after === value) this.#fail(`expected a value in ${name}`, value);
    if (after === tooDeep) this.#fail(`more than ${this.#maxDepth} brackets are open in an element of ${name}`, value);
    if (after !== unfinished && entry) bytes[colon] = byte.comma;
    return after;
  }

  /** A map's entries are parsed as `[key, value, key, value…]`: an object would lose their order and repeated keys. */
  #batch(section: string, first: number, parsed: unknown[], map: boolean): JsonBatch {
    if (!map) return { section, first, values: parsed, keys: [] };
    const keys: string[] = [];
    const values: unknown[] = [];
    for (let i = 0; i < parsed.length; i += 2) {
      keys.push(parsed[i] as string);
      values.push(parsed[i + 1]);
    }
    return { section, first, values, keys };
  }

  #parse(from: number, to: number, name: string): unknown[] {
    const text = `[${this.#text(from, to)}]`;
    try {
      return JSON.parse(text);
    } catch {
      try {
        return JSON.parse(bareNumbersAsNull(text));
      } catch (error) {
        return this.#blame(from, to, name, error);
      }
    }
  }

  /** Finds the element that is to blame. */
  #blame(from: number, to: number, name: string, cause: unknown): never {
    const { bytes, end } = this.#window;
    for (let i = from; i < to; ) {
      const after = endOfValue(bytes, i, end, this.#maxDepth);
      try {
        JSON.parse(bareNumbersAsNull(this.#text(i, after)));
      } catch (error) {
        throw new InputError(this.#file, `invalid JSON in ${name}`, this.#window.offset(i), { cause: error });
      }
      i = skipSpace(bytes, skipSpace(bytes, after) + 1);
    }
    throw new InputError(this.#file, `invalid JSON in ${name}`, this.#window.offset(from), { cause });
  }

  #text(from: number, to: number): string {
    const { bytes } = this.#window;
    return bytes.toString(isAscii(bytes.subarray(from, to)) ? 'latin1' : 'utf8', from, to);
  }

  async #skip(name: string): Promise<void> {
    const next = await this.#must(name);
    if (next === byte.openBrace || next === byte.openBracket) {
      this.#window.position++;
      const close = next === byte.openBrace ? byte.closeBrace : byte.closeBracket;
      for await (const _ of this.#elements(close, name, null));
    } else await this.#whole(name);
  }

  /** Steps over a value that is not an array or object, and returns its text. */
  async #whole(name: string): Promise<string> {
    for (;;) {
      const { bytes, position, end } = this.#window;
      const after = endOfValue(bytes, position, end, this.#maxDepth);
      if (after === position) this.#fail(`expected a value for ${name}`);
      if (after !== unfinished) {
        this.#window.position = after;
        return this.#text(position, after);
      }
      if (end - position > this.#maxValueBytes) this.#fail(`${name} is longer than ${this.#maxValueBytes} bytes`);
      await this.#window.need(`truncated JSON, ${name} does not end`, this.#file);
    }
  }

  /** Reads a key and its colon. */
  async #key(next: number, name: string): Promise<string> {
    if (next !== byte.quote) this.#fail(`expected a key in ${name}`);
    const at = this.#window.offset(this.#window.position);
    const text = await this.#whole(name);
    if ((await this.#must(name)) !== byte.colon) this.#fail(`expected ':' in ${name}`);
    this.#window.position++;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new InputError(this.#file, `invalid JSON in ${name}`, at, { cause: error });
    }
  }

  async #open(bracket: number, subject: string, expected: string): Promise<void> {
    const next = await this.#must(subject);
    if (next !== bracket) this.#fail(`${subject} is ${kindOf(next)}, expected ${expected}`);
    this.#window.position++;
  }

  /** The next byte that is not white space, which stays unread. */
  async #must(name: string): Promise<number> {
    const next = await this.#next();
    if (next !== undefined) return next;
    return this.#fail(
      this.#window.offset(this.#window.end) === 0 ? 'the file is empty' : `truncated JSON, ${name} does not end`,
    );
  }

  async #next(): Promise<number | undefined> {
    const window = this.#window;
    for (;;) {
      window.position = skipSpace(window.bytes, window.position);
      if (window.position < window.end) return window.bytes[window.position];
      if (!(await window.more())) return undefined;
    }
  }

  async #skipByteOrderMark(): Promise<void> {
    const window = this.#window;
    while (window.end < 3 && (await window.more()));
    if (window.bytes.readUIntBE(0, 3) === 0xefbbbf && window.end >= 3) window.position = 3;
  }

  #fail(problem: string, index = this.#window.position): never {
    throw new InputError(this.#file, problem, this.#window.offset(index));
  }
}

function kindOf(code: number): string {
  if (code === byte.openBrace) return 'an object';
  if (code === byte.openBracket) return 'an array';
  return code === byte.quote ? 'a string' : 'neither an array nor an object';
}
