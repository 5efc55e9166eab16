import { longerThan } from '../reader-limits.js';
import type { JsonCursor } from './json-cursor.js';
import { byte, endOfString, endOfValue, type SkippedKeys, skipSpace, tooDeep, unfinished } from './json-scanner.js';
import { parseJson } from './parse-json.js';

/** Consecutive elements of an array, or entries of an object. */
export interface JsonElements {
  /** The position of the first element, from 0. */
  readonly first: number;
  readonly values: readonly unknown[];
  /** The key of each value if the container is an object; else empty. */
  readonly keys: readonly string[];
}

/** Complete elements in the window, from index `from` to index `to`. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly ends: 'unfinished' | 'full' | 'closed';
}

/**
 * The approximate size of a batch in bytes: large enough for few `JSON.parse` calls, small enough for short-lived
 * values.
 */
const batchBytes = 64 * 1024;

/**
 * Reads the content of an array or object whose opening bracket has been consumed, including the closing bracket. It
 * finds complete elements among the buffered bytes and passes many of them to `JSON.parse` at once; an incomplete
 * element is scanned again from its start after more bytes have been read.
 */
export class JsonContainer {
  readonly #cursor: JsonCursor;
  readonly #close: number;
  readonly #name: string;
  readonly #cuts: number[] = [];
  readonly #skipped: SkippedKeys | undefined;
  /** The token that must come next. */
  #expects: 'value or end' | 'value' | 'comma or end' = 'value or end';

  /**
   * @param close the closing bracket; `}` reads the entries of an object
   * @param name the name of the container in errors
   * @param skippedKeys keys of the elements whose arrays and objects are returned empty
   */
  constructor(cursor: JsonCursor, close: number, name: string, skippedKeys: readonly string[] = []) {
    this.#cursor = cursor;
    this.#close = close;
    this.#name = name;
    const keys = skippedKeys.map((key) => Buffer.from(JSON.stringify(key)));
    this.#skipped = keys.length > 0 ? { keys, cuts: this.#cuts } : undefined;
  }

  /** Yields the elements in batches; a container without elements yields one empty batch. */
  async *batches(): AsyncGenerator<JsonElements, void, void> {
    for (let first = 0; ; ) {
      const span = this.#scan();
      if (span.count > 0 || (span.ends === 'closed' && first === 0)) yield this.#batch(first, span);
      first += span.count;
      if (span.ends === 'closed') return;
      if (span.ends === 'unfinished') await this.#readMore(first);
    }
  }

  /** Skips the elements without parsing them. */
  async skip(): Promise<void> {
    for (let first = 0; ; ) {
      const span = this.#scan();
      first += span.count;
      if (span.ends === 'closed') return;
      if (span.ends === 'unfinished') await this.#readMore(first);
    }
  }

  #readMore(position: number): Promise<void> {
    return this.#cursor.readMore(this.#name, `element ${position} of ${this.#name}`);
  }

  /** Finds complete elements until the batch is full, the container ends or the buffered bytes end. */
  #scan(): Span {
    const { window } = this.#cursor;
    const { bytes, end } = window;
    let i = window.position;
    let from = i;
    let to = i;
    let count = 0;
    let ends: Span['ends'] | null = null;
    this.#cuts.length = 0;
    try {
      while (ends === null) {
        i = skipSpace(bytes, i);
        if (i >= end) ends = 'unfinished';
        else if (bytes[i] === this.#close && this.#expects !== 'value') {
          ends = 'closed';
          i++;
        } else if (this.#expects === 'comma or end') {
          if (bytes[i] !== byte.comma) this.#fail(`expected ',' or '${String.fromCharCode(this.#close)}'`, i);
          this.#expects = 'value';
          i++;
          // A batch ends before its comma, so that its text is the content of a list.
          if (to - from > batchBytes) ends = 'full';
        } else {
          const after = this.#endOfElement(i);
          if (after === unfinished) ends = 'unfinished';
          else {
            if (count++ === 0) from = i;
            this.#expects = 'comma or end';
            to = i = after;
          }
        }
      }
    } catch (error) {
      // An invalid element before this one may be the actual problem, and is reported first.
      this.#dropCutsAfter(to);
      this.#parse(from, to);
      throw error;
    }
    this.#dropCutsAfter(to);
    window.position = i;
    return { from, to, count, ends };
  }

  /** Removes the cuts of an incomplete element, which will be found again. */
  #dropCutsAfter(end: number): void {
    const cuts = this.#cuts;
    while (cuts.length > 0 && (cuts.at(-1) as number) > end) cuts.length -= 2;
  }

  /** Returns the index after the element at `from`; replaces the colon of an entry by a comma, see `#batch`. */
  #endOfElement(from: number): number {
    const { bytes, end } = this.#cursor.window;
    const { maxDepth, maxValueBytes } = this.#cursor.bounds;
    let value = from;
    let colon = 0;
    if (this.#close === byte.closeBrace) {
      if (bytes[from] !== byte.quote) this.#cursor.failAtKey(this.#name, from);
      const afterKey = endOfString(bytes, from, end);
      if (afterKey === unfinished) return unfinished;
      colon = skipSpace(bytes, afterKey);
      if (colon >= end) return unfinished;
      if (bytes[colon] !== byte.colon) this.#fail("expected ':'", colon);
      value = skipSpace(bytes, colon + 1);
      if (value >= end) return unfinished;
    }
    const after = endOfValue(bytes, value, end, maxDepth, this.#skipped);
    if (after === value) this.#fail('expected a value', value);
    if (after === tooDeep) this.#fail(`more than ${maxDepth} brackets are open`, value);
    if (after - value > maxValueBytes) this.#cursor.fail(longerThan(`a value in ${this.#name}`, maxValueBytes), value);
    if (after !== unfinished && value !== from) bytes[colon] = byte.comma;
    return after;
  }

  /**
   * Parses a batch. Entries are parsed as `[key, value, key, value…]`: an object would lose order and repeated keys.
   */
  #batch(first: number, { from, to }: Span): JsonElements {
    const parsed = this.#parse(from, to);
    if (this.#close === byte.closeBracket) return { first, values: parsed, keys: [] };
    const keys: string[] = [];
    const values: unknown[] = [];
    for (let i = 0; i < parsed.length; i += 2) {
      keys.push(parsed[i] as string);
      values.push(parsed[i + 1]);
    }
    return { first, values, keys };
  }

  #parse(from: number, to: number): unknown[] {
    const text = `[${this.#cursor.text(from, to, this.#cuts)}]`;
    try {
      return parseJson(text) as unknown[];
    } catch (error) {
      return this.#failAtInvalidElement(from, to, error);
    }
  }

  /** Throws an error that names the first element that is not JSON. */
  #failAtInvalidElement(from: number, to: number, cause: unknown): never {
    const { bytes, end } = this.#cursor.window;
    for (let i = from; i < to; ) {
      const after = endOfValue(bytes, i, end, this.#cursor.bounds.maxDepth);
      try {
        parseJson(this.#cursor.text(i, after));
      } catch (error) {
        return this.#cursor.failToParse(this.#name, i, after, error);
      }
      i = skipSpace(bytes, skipSpace(bytes, after) + 1);
    }
    return this.#cursor.fail(`invalid JSON in ${this.#name}`, from, cause);
  }

  #fail(problem: string, index: number): never {
    return this.#cursor.fail(`${problem} in ${this.#name}`, index);
  }
}
