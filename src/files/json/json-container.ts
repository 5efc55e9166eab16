import type { JsonCursor } from './json-cursor.js';
import { byte, endOfString, endOfValue, type SkippedKeys, skipSpace, tooDeep, unfinished } from './json-scanner.js';
import { nonFiniteAsNull } from './non-finite-as-null.js';

/** Some elements of an array in a row, or some entries of an object. */
export interface JsonElements {
  /** Position of the first one, from 0. */
  readonly first: number;
  readonly values: readonly unknown[];
  /** An object's keys, one a value; else empty. */
  readonly keys: readonly string[];
}

/** Whole elements that lie in the window, from one index to another. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly ends: 'unfinished' | 'full' | 'closed';
}

/** Text is parsed in pieces of about this many bytes: few calls, and values that die young. */
const batchBytes = 64 * 1024;

/**
 * What is inside a bracket that was stepped over, up to and with the one that closes it. Whole elements are found in the
 * bytes at hand and handed to `JSON.parse` many at a time; an element that the bytes at hand cut off is scanned again
 * from its start when more of it is there.
 */
export class JsonContainer {
  readonly #cursor: JsonCursor;
  readonly #close: number;
  readonly #name: string;
  readonly #cuts: number[] = [];
  readonly #skipped: SkippedKeys | undefined;
  /** What must come next; at the start it is a value or the end. */
  #expects: 'value or end' | 'value' | 'comma or end' = 'value or end';

  /**
   * @param close the closing bracket; `}` for the entries of an object
   * @param name for errors
   * @param skippedKeys keys of the elements whose arrays and objects come out empty
   */
  constructor(cursor: JsonCursor, close: number, name: string, skippedKeys: readonly string[] = []) {
    this.#cursor = cursor;
    this.#close = close;
    this.#name = name;
    const keys = skippedKeys.map((key) => Buffer.from(JSON.stringify(key)));
    this.#skipped = keys.length > 0 ? { keys, cuts: this.#cuts } : undefined;
  }

  /** The elements, in batches; one empty batch where there are none. */
  async *batches(): AsyncGenerator<JsonElements, void, void> {
    for (let first = 0; ; ) {
      const span = this.#scan();
      if (span.count > 0 || (span.ends === 'closed' && first === 0)) yield this.#batch(first, span);
      first += span.count;
      if (span.ends === 'closed') return;
      if (span.ends === 'unfinished') await this.#readMore(first);
    }
  }

  /** Steps over the elements unread. */
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

  /** Steps over whole elements until they are many, the bracket closes or the bytes at hand end. */
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
          // A batch ends before its comma, so that its text makes a list.
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
      // What comes before may be what is really wrong.
      this.#dropCutsAfter(to);
      this.#parse(from, to);
      throw error;
    }
    this.#dropCutsAfter(to);
    window.position = i;
    return { from, to, count, ends };
  }

  /** Those of an element that is unfinished will be noted again. */
  #dropCutsAfter(end: number): void {
    const cuts = this.#cuts;
    while (cuts.length > 0 && (cuts.at(-1) as number) > end) cuts.length -= 2;
  }

  /** Index after the element at `from`; an entry's colon is turned into a comma, see `#batch`. */
  #endOfElement(from: number): number {
    const { bytes, end } = this.#cursor.window;
    const { maxDepth, maxValueBytes } = this.#cursor.bounds;
    let value = from;
    let colon = 0;
    if (this.#close === byte.closeBrace) {
      if (bytes[from] !== byte.quote) this.#fail('expected a key', from);
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
    if (after - value > maxValueBytes) this.#fail(`a value is longer than ${maxValueBytes} bytes`, value);
    if (after !== unfinished && value !== from) bytes[colon] = byte.comma;
    return after;
  }

  /** Entries are parsed as `[key, value, key, value…]`: an object would lose their order and repeated keys. */
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
      return JSON.parse(text);
    } catch {
      try {
        return JSON.parse(nonFiniteAsNull(text));
      } catch (error) {
        return this.#failAtInvalidElement(from, to, error);
      }
    }
  }

  /** Finds the element that is not JSON. */
  #failAtInvalidElement(from: number, to: number, cause: unknown): never {
    const { bytes, end } = this.#cursor.window;
    for (let i = from; i < to; ) {
      const after = endOfValue(bytes, i, end, this.#cursor.bounds.maxDepth);
      try {
        JSON.parse(nonFiniteAsNull(this.#cursor.text(i, after)));
      } catch (error) {
        return this.#cursor.fail(`invalid JSON in ${this.#name}`, i, error);
      }
      i = skipSpace(bytes, skipSpace(bytes, after) + 1);
    }
    return this.#cursor.fail(`invalid JSON in ${this.#name}`, from, cause);
  }

  #fail(problem: string, index: number): never {
    return this.#cursor.fail(`${problem} in ${this.#name}`, index);
  }
}
