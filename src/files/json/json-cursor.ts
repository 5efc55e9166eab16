import { isAscii } from 'node:buffer';
import { InputError } from '../../errors.js';
import { type ByteWindow, skipByteOrderMark } from './byte-window.js';
import { byte, endOfValue, skipSpace, unfinished } from './json-scanner.js';
import { nonFiniteAsNull } from './non-finite-as-null.js';

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
    if (end - position > maxValueBytes) this.fail(`${value} is longer than ${maxValueBytes} bytes`);
    if (await this.window.readMore()) return;
    this.fail(name === wholeFile ? 'the file is empty' : `truncated JSON, ${name} does not end`, this.window.end);
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
    if (next !== bracket) this.fail(`${name} is ${kindOf(next)}, expected ${expected}`);
    this.window.position++;
  }

  /** Consumes a key and its colon, and returns the key. */
  async key(name: string): Promise<string> {
    if ((await this.requireByte(name)) !== byte.quote) this.fail(`expected a key in ${name}`);
    const { text, at } = await this.scalar(name);
    const key = this.parse(text, name, at);
    if ((await this.requireByte(name)) !== byte.colon) this.fail(`expected ':' in ${name}`);
    this.window.position++;
    return key as string;
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
    const encoding = isAscii(bytes.subarray(from, to)) ? 'latin1' : 'utf8';
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
      return JSON.parse(nonFiniteAsNull(text));
    } catch (error) {
      return this.fail(`invalid JSON in ${name}`, at, error);
    }
  }

  async skipByteOrderMark(): Promise<void> {
    while (this.window.end < 3 && (await this.window.readMore()));
    this.window.position = skipByteOrderMark(this.window.bytes);
  }
}

function kindOf(code: number): string {
  if (code === byte.openBrace) return 'an object';
  if (code === byte.openBracket) return 'an array';
  return code === byte.quote ? 'a string' : 'neither an array nor an object';
}
