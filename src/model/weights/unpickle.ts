import { PickleBytes } from './pickle-bytes.js';
import {
  constructPickledObject,
  PickledObject,
  PickledTensor,
  pickledGlobal,
  pickledStorage,
  type Storage,
} from './pickled-objects.js';

const MARK = Symbol('mark');
/** Maximum length of a number that is written in digits. */
const MAX_DIGITS = 1000;
/** Maximum number of instructions in a pickle; official checkpoints have tens of thousands. */
const MAX_OBJECTS = 1_000_000;

/**
 * Reads a pickle into plain data and tensors. No code of the pickle is run: a reference to anything but the parts of tensors
 * is rejected.
 *
 * @returns Maps for dictionaries, without entries whose keys are not texts, arrays for lists, tuples and sets,
 * `PickledTensor`, `PickledObject`, strings, numbers, …
 * @throws InputError if the pickle is invalid, or refers to a function or class that is not allowed; the error names it
 */
export function unpickle(path: string, bytes: Uint8Array): unknown {
  return unpickleNext(new PickleBytes(path, bytes));
}

/**
 * Reads the next of several pickles that follow each other; see `unpickle`.
 * @param onStorage receives each reference to a storage
 */
export function unpickleNext(bytes: PickleBytes, onStorage?: (storage: Storage) => void): unknown {
  return new Unpickler(bytes, onStorage).run();
}

class Unpickler {
  readonly #bytes: PickleBytes;
  readonly #onStorage: ((storage: Storage) => void) | undefined;
  readonly #stack: unknown[] = [];
  /** Values by key. An array, because a Map of numbers is slow if the keys are chosen to collide. */
  readonly #memo: unknown[] = [];
  #memoized = 0;
  #instructions = 0;

  constructor(bytes: PickleBytes, onStorage: ((storage: Storage) => void) | undefined) {
    this.#bytes = bytes;
    this.#onStorage = onStorage;
  }

  run(): unknown {
    for (;;) {
      const code = this.#bytes.unsigned(1);
      if (code === 0x2e) return this.#pop();
      if (++this.#instructions > MAX_OBJECTS) throw this.#bytes.broken(`has more than ${MAX_OBJECTS} instructions`);
      this.#step(code);
    }
  }

  #step(code: number): void {
    const stack = this.#stack;
    switch (code) {
      case 0x80: {
        // PROTO
        const protocol = this.#bytes.unsigned(1);
        if (protocol > 5) throw this.#bytes.broken(`has protocol ${protocol}, expected at most 5`);
        return;
      }
      case 0x95: // FRAME
        this.#bytes.skip(8);
        return;
      case 0x28: // MARK
        stack.push(MARK);
        return;
      case 0x30: // POP
        this.#pop();
        return;
      case 0x31: // POP_MARK
        this.#popMark();
        return;
      case 0x32: // DUP
        this.#require(1);
        stack.push(stack[stack.length - 1]);
        return;
      case 0x4e: // NONE
        stack.push(null);
        return;
      case 0x88: // NEWTRUE
        stack.push(true);
        return;
      case 0x89: // NEWFALSE
        stack.push(false);
        return;
      case 0x4b: // BININT1
        stack.push(this.#bytes.unsigned(1));
        return;
      case 0x4d: // BININT2
        stack.push(this.#bytes.unsigned(2));
        return;
      case 0x4a: // BININT
        stack.push(this.#bytes.signed());
        return;
      case 0x8a: // LONG1
        stack.push(this.#bytes.long(this.#bytes.unsigned(1)));
        return;
      case 0x8b: // LONG4
        stack.push(this.#bytes.long(this.#bytes.unsigned(4)));
        return;
      case 0x47: // BINFLOAT
        stack.push(this.#bytes.double());
        return;
      case 0x49: // INT
      case 0x4c: // LONG
      case 0x46: // FLOAT
        stack.push(this.#decimal());
        return;
      case 0x53: // STRING
      case 0x56: // UNICODE
        stack.push(this.#quoted());
        return;
      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING
        stack.push(this.#bytes.text(this.#bytes.unsigned(4)));
        return;
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        stack.push(this.#bytes.text(this.#bytes.unsigned(1)));
        return;
      case 0x8d: // BINUNICODE8
        stack.push(this.#bytes.text(this.#bytes.unsigned64()));
        return;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        stack.push(this.#bytes.slice(this.#bytes.unsigned64()));
        return;
      case 0x42: // BINBYTES
        stack.push(this.#bytes.slice(this.#bytes.unsigned(4)));
        return;
      case 0x43: // SHORT_BINBYTES
        stack.push(this.#bytes.slice(this.#bytes.unsigned(1)));
        return;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        return;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
      case 0x8f: // EMPTY_SET
        stack.push([]);
        return;
      case 0x64: {
        // DICT
        const items = this.#popMark();
        stack.push(new Map());
        this.#setItems(items);
        return;
      }
      case 0x74: // TUPLE
      case 0x6c: // LIST
      case 0x91: // FROZENSET
        stack.push(this.#popMark());
        return;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.#require(code - 0x84);
        stack.push(stack.splice(-(code - 0x84)));
        return;
      case 0x70: // PUT
        this.#memoize(this.#decimal());
        return;
      case 0x67: // GET
        stack.push(this.#fromMemo(this.#decimal()));
        return;
      case 0x71: // BINPUT
        this.#memoize(this.#bytes.unsigned(1));
        return;
      case 0x72: // LONG_BINPUT
        this.#memoize(this.#bytes.unsigned(4));
        return;
      case 0x94: // MEMOIZE
        this.#memoize(this.#memoized);
        return;
      case 0x68: // BINGET
        stack.push(this.#fromMemo(this.#bytes.unsigned(1)));
        return;
      case 0x6a: // LONG_BINGET
        stack.push(this.#fromMemo(this.#bytes.unsigned(4)));
        return;
      case 0x61: // APPEND
        this.#append([this.#pop()]);
        return;
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        this.#append(this.#popMark());
        return;
      case 0x73: // SETITEM
        this.#require(2);
        this.#setItems(stack.splice(-2));
        return;
      case 0x75: // SETITEMS
        this.#setItems(this.#popMark());
        return;
      case 0x63: // GLOBAL
        stack.push(pickledGlobal(`${this.#bytes.line()}.${this.#bytes.line()}`, this.#bytes));
        return;
      case 0x93: {
        // STACK_GLOBAL
        const name = this.#pop();
        const module = this.#pop();
        if (typeof module !== 'string' || typeof name !== 'string')
          throw this.#bytes.broken('names a function by a value that is not a string');
        stack.push(pickledGlobal(`${module}.${name}`, this.#bytes));
        return;
      }
      case 0x51: {
        // BINPERSID
        const storage = pickledStorage(this.#pop(), this.#bytes);
        this.#onStorage?.(storage);
        stack.push(storage);
        return;
      }
      case 0x92: // NEWOBJ_EX
        // Arguments by name are those of plain data, which is not used.
        this.#pop();
        stack.push(this.#construct());
        return;
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
        stack.push(this.#construct());
        return;
      case 0x62: {
        // BUILD
        this.#pop();
        const object = stack[stack.length - 1];
        // Fields of options and attributes of a state dict are ignored.
        if (!(object instanceof PickledObject || object instanceof Map || object instanceof PickledTensor))
          throw this.#bytes.broken('sets fields of a value that is not an object');
        return;
      }
      default:
        throw this.#bytes.broken(`has the unknown instruction 0x${code.toString(16)}`);
    }
  }

  #construct(): unknown {
    const args = this.#pop();
    return constructPickledObject(this.#pop(), args, this.#bytes);
  }

  /** Reads a number that is written as a line of text; Python 2 ends a long one with L. */
  #decimal(): number {
    const line = this.#bytes.line();
    const value = Number(line.replace(/L$/, ''));
    if (line.length > MAX_DIGITS || line.trim() === '' || Number.isNaN(value))
      throw this.#bytes.broken(`has the number '${line.slice(0, 40)}', expected digits`);
    return value;
  }

  /** Reads a text that is written as a line, in quotation marks or not. */
  #quoted(): string {
    return this.#bytes.line().replace(/^(['"])(.*)\1$/, '$2');
  }

  #append(items: readonly unknown[]): void {
    const list = this.#stack[this.#stack.length - 1];
    if (!Array.isArray(list)) throw this.#bytes.broken('appends to a value that is not a list');
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly unknown[]): void {
    const map = this.#stack[this.#stack.length - 1];
    if (!(map instanceof Map) || items.length % 2 !== 0)
      throw this.#bytes.broken('sets items of a value that is not a dictionary');
    for (let k = 0; k < items.length; k += 2) {
      const key = items[k];
      if (typeof key === 'string') map.set(key, items[k + 1]);
    }
  }

  #memoize(key: number): void {
    // Python numbers the entries from 0.
    if (!Number.isInteger(key) || key < 0 || key >= MAX_OBJECTS)
      throw this.#bytes.broken(`sets memo entry ${key}, expected at most ${MAX_OBJECTS}`);
    this.#require(1);
    if (!(key in this.#memo)) this.#memoized++;
    this.#memo[key] = this.#stack[this.#stack.length - 1];
  }

  #fromMemo(key: number): unknown {
    if (!(key in this.#memo)) throw this.#bytes.broken(`reads memo entry ${key}, which is not set`);
    return this.#memo[key];
  }

  #pop(): unknown {
    this.#require(1);
    return this.#stack.pop();
  }

  #require(count: number): void {
    if (this.#stack.length < count)
      throw this.#bytes.broken(`needs ${count} values on its stack, found ${this.#stack.length}`);
  }

  #popMark(): unknown[] {
    const start = this.#stack.lastIndexOf(MARK);
    if (start < 0) throw this.#bytes.broken('needs a mark on its stack, found none');
    const items = this.#stack.splice(start);
    return items.slice(1);
  }
}
