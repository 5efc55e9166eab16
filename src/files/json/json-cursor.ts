import { isAscii, isUtf8 } from 'node:buffer';
import { InputError } from '../../errors.js';
import { longerThan } from '../reader-limits.js';
import { type ByteWindow, skipByteOrderMark } from './byte-window.js';
import { type ContentKind, describeContent, expectedInstead } from './describe-content.js';
import { byte, endOfValue, skipSpace, unfinished } from './json-scanner.js';
import { parseJson } from './parse-json.js';

/** Limits of a single value. */
export interface JsonBounds {
  readonly maxValueBytes: number;
  /** The maximum nesting depth: how many brackets may be open at once. */
  readonly maxDepth: number;
}

/** The name in errors of the value that makes up the whole file. */
export const wholeFile = 'the file';

/** Reads a JSON file token by token. Callers name what they read, e.g. `the top-level object`, for errors. */
export class JsonCursor {
  readonly window: ByteWindow;
  readonly bounds: JsonBounds;
  readonly #file: string;

  constructor(file: string, window: ByteWindow, bounds: JsonBounds) {
    this.#file = file;
    this.window = window;
    this.bounds = bounds;
  }

  /** @throws InputError with the byte offset of `index` */
  fail(problem: string, index = this.window.position, cause?: unknown): never {
    throw new InputError(this.#file, problem, this.window.offset(index), { cause });
  }

  /**
   * Reads more bytes because `name` is incomplete.
   * @param value the name of the value that is being buffered
   * @throws InputError at the end of the file, or if the buffered value is longer than `maxValueBytes`
   */
  async readMore(name: string, value = name): Promise<void> {
    const { position, end } = this.window;
    const { maxValueBytes } = this.bounds;
    if (end - position > maxValueBytes) this.fail(longerThan(value, maxValueBytes));
    if (await this.window.readMore()) return;
    if (name === wholeFile) throw new InputError(this.#file, 'the file is empty');
    this.fail(`truncated JSON, ${name} does not end`, this.window.end);
  }

  /** Returns the next byte that is not white space without consuming it; undefined at the end of the file. */
  async peek(): Promise<number | undefined> {
    const { window } = this;
    for (;;) {
      window.position = skipSpace(window.bytes, window.position);
      if (window.position < window.end) return window.bytes[window.position];
      if (!(await window.readMore())) return undefined;
    }
  }

  /**
   * Returns the next byte that is not white space without consuming it.
   * @throws InputError at the end of the file
   */
  async requireByte(name: string): Promise<number> {
    const next = await this.peek();
    if (next === undefined) await this.readMore(name);
    return next as number;
  }

  /**
   * Consumes an opening bracket.
   * @throws InputError if the next value is of another kind
   */
  async open(bracket: number, name: string, expected: string): Promise<void> {
    const next = await this.requireByte(name);
    if (next !== bracket) {
      const content = name === wholeFile ? this.#kindOfFile() : undefined;
      // The beginning of the file needs no position.
      if (content)
        throw new InputError(this.#file, `${name} is ${content.kind}${expectedInstead(expected, content.advice)}`);
      this.fail(`${name} is ${kindOf(next)}, expected ${expected}`);
    }
    this.window.position++;
  }

  /** Consumes a key and its colon, and returns the key. */
  async key(name: string): Promise<string> {
    if ((await this.requireByte(name)) !== byte.quote) this.failAtKey(name);
    const { text, at } = await this.scalar(name);
    const key = this.parse(text, name, at);
    if ((await this.requireByte(name)) !== byte.colon) this.fail(`expected ':' in ${name}`);
    this.window.position++;
    return key as string;
  }

  /** @throws InputError because something else than a key begins at `index` */
  failAtKey(name: string, index = this.window.position): never {
    const isQuote = this.window.bytes[index] === 0x27;
    const problem = isQuote
      ? `a key in ${name} begins with a single quote, as Python's str() writes it: write the file with json.dump; found`
      : `expected a key in ${name}`;
    return this.fail(problem, index);
  }

  /** Returns the kind of a file whose first value is not the expected one, if it can be named. */
  #kindOfFile(): ContentKind | undefined {
    const { bytes, position, end } = this.window;
    const described = describeContent(bytes.subarray(position, end));
    if (described !== undefined || bytes[position] !== byte.openBrace) return described;
    const after = endOfValue(bytes, position, end, this.bounds.maxDepth);
    const next = after > position ? skipSpace(bytes, after) : end;
    return next < end && bytes[next] === byte.openBrace ? { kind: jsonLinesKind } : undefined;
  }

  /** Consumes a value that is neither an array nor an object, and returns its text. */
  async scalar(name: string): Promise<{ text: string; at: number }> {
    for (;;) {
      const { bytes, position, end } = this.window;
      const after = endOfValue(bytes, position, end, this.bounds.maxDepth);
      if (after === position) this.fail(`expected a value for ${name}`);
      if (after !== unfinished) {
        this.window.position = after;
        return { text: this.text(position, after), at: position };
      }
      await this.readMore(name);
    }
  }

  /**
   * Returns the text from one index to another.
   * @param cuts ranges to omit, see `SkippedKeys`
   */
  text(from: number, to: number, cuts: readonly number[] = []): string {
    const { bytes } = this.window;
    const written = bytes.subarray(from, to);
    const encoding = isAscii(written) ? 'latin1' : 'utf8';
    if (encoding === 'utf8' && !isUtf8(written)) this.#failAtEncoding(from, to);
    let text = '';
    let at = from;
    for (let i = 0; i < cuts.length; i += 2) {
      text += bytes.toString(encoding, at, cuts[i]);
      at = cuts[i + 1] as number;
    }
    return text + bytes.toString(encoding, at, to);
  }

  /** @param at the index at which the text begins, for the message */
  parse(text: string, name: string, at: number): unknown {
    try {
      return parseJson(text);
    } catch (error) {
      return this.failToParse(name, at, at + Buffer.byteLength(text), error);
    }
  }

  /** @throws InputError for the text from index `from` to index `to`, which is not JSON: names a control character in it */
  failToParse(name: string, from: number, to: number, cause: unknown): never {
    const at = controlCharacter(this.window.bytes, from, to);
    if (at === undefined) return this.fail(`invalid JSON in ${name}`, from, cause);
    const code = (this.window.bytes[at] as number).toString(16).padStart(4, '0');
    const problem = `a string contains the control character U+${code}, expected its escape \\u${code},`;
    return this.fail(`invalid JSON in ${name}: ${problem}`, at, cause);
  }

  #failAtEncoding(from: number, to: number): never {
    const { bytes } = this.window;
    let at = from;
    for (let length = 0; at < to; at += length) {
      const first = bytes[at] as number;
      length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
      if (!isUtf8(bytes.subarray(at, at + length))) break;
    }
    const found = bytes.toString('hex', at, at + 2);
    return this.fail(`the text is not UTF-8: convert the file, for example with iconv; found the bytes ${found}`, at);
  }

  async skipByteOrderMark(): Promise<void> {
    while (this.window.end < 3 && (await this.window.readMore()));
    this.window.position = skipByteOrderMark(this.window.bytes);
  }
}

/** The kind of a file with one JSON value per line, in errors. */
export const jsonLinesKind = 'JSON lines (one JSON value per line)';

/** Returns the index of the first control character inside a string, if there is one. */
function controlCharacter(bytes: Buffer, from: number, to: number): number | undefined {
  for (let i = from, inString = false; i < to; i++) {
    const code = bytes[i] as number;
    if (code === byte.quote) inString = !inString;
    else if (inString && code === byte.backslash) i++;
    else if (inString && code < 0x20) return i;
  }
  return undefined;
}

function kindOf(code: number): string {
  if (code === byte.openBrace) return 'an object';
  if (code === byte.openBracket) return 'an array';
  if (code === byte.quote) return 'a string';
  const first = String.fromCharCode(code);
  if (first === 'n') return 'null';
  if (first === 't' || first === 'f') return 'true or false';
  return /[-\d]/.test(first) ? 'a number' : 'neither an array nor an object';
}
