import { InputError } from '../../errors.js';
import { type NumberType, sizeOf } from '../../records/weight-source.js';

/** Numbers of a checkpoint, in a file of their own inside of it. */
export class Storage {
  constructor(type: NumberType, key: string, count: number) {
    this.type = type;
    this.key = key;
    this.count = count;
  }
  readonly type: NumberType;
  readonly key: string;
  readonly count: number;
}

/** A view of a storage. */
export class PickledTensor {
  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
  readonly storage: Storage;
  /** In numbers, from the storage's start. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Something of the checkpoint that is no tensor and no plain data: its options, kept as a name and fields. */
export class PickledObject {
  constructor(name: string) {
    this.name = name;
  }
  readonly name: string;
  state: unknown = null;
}

/** A name that a pickle may ask for. */
class Global {
  constructor(name: string) {
    this.name = name;
  }
  readonly name: string;
}

const storages: Readonly<Record<string, NumberType>> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};

/** What may be asked for: what tensors are made of, and options, which become inert fields. Nothing is ever called. */
const allowed = new Set([
  ...Object.keys(storages),
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
  'collections.OrderedDict',
  'argparse.Namespace',
]);

const MARK = Symbol('mark');
/** Objects that a pickle may hold at once; an official checkpoint holds some ten thousands. */
const MAX_OBJECTS = 5_000_000;

/**
 * Reads a pickle into plain data and tensors. No code of it is run: a pickle that asks for anything but the parts of a
 * tensor is refused, with the name of what it asked for.
 *
 * @returns Maps for dictionaries, arrays for lists and tuples, `PickledTensor`, `PickledObject`, strings, numbers…
 * @throws InputError where it is broken or asks for something else
 */
export function unpickle(path: string, bytes: Uint8Array): unknown {
  return new Unpickler(path, bytes).run();
}

class Unpickler {
  readonly #path: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #at = 0;
  #made = 0;

  constructor(path: string, bytes: Uint8Array) {
    this.#path = path;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): unknown {
    for (;;) {
      const code = this.#number(1);
      if (code === 0x2e) return this.#pop();
      if (++this.#made > MAX_OBJECTS) throw this.#broken('is too long');
      this.#step(code);
    }
  }

  #step(code: number): void {
    const stack = this.#stack;
    switch (code) {
      case 0x80: // PROTO
        if (this.#number(1) > 5) throw this.#broken('is of an unknown protocol');
        return;
      case 0x95: // FRAME
        this.#skip(8);
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
        stack.push(this.#number(1));
        return;
      case 0x4d: // BININT2
        stack.push(this.#number(2));
        return;
      case 0x4a: // BININT
        this.#skip(4);
        stack.push(this.#view.getInt32(this.#at - 4, true));
        return;
      case 0x8a: // LONG1
        stack.push(this.#long(this.#number(1)));
        return;
      case 0x8b: // LONG4
        stack.push(this.#long(this.#number(4)));
        return;
      case 0x47: // BINFLOAT
        this.#skip(8);
        stack.push(this.#view.getFloat64(this.#at - 8));
        return;
      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING
        stack.push(this.#text(this.#number(4)));
        return;
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        stack.push(this.#text(this.#number(1)));
        return;
      case 0x42: // BINBYTES
        stack.push(this.#slice(this.#number(4)));
        return;
      case 0x43: // SHORT_BINBYTES
        stack.push(this.#slice(this.#number(1)));
        return;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        return;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
      case 0x8f: // EMPTY_SET
        stack.push([]);
        return;
      case 0x74: // TUPLE
        stack.push(this.#popMark());
        return;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.#need(code - 0x84);
        stack.push(stack.splice(-(code - 0x84)));
        return;
      case 0x71: // BINPUT
        this.#memo.set(this.#number(1), stack[stack.length - 1]);
        return;
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#number(4), stack[stack.length - 1]);
        return;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, stack[stack.length - 1]);
        return;
      case 0x68: // BINGET
        stack.push(this.#remembered(this.#number(1)));
        return;
      case 0x6a: // LONG_BINGET
        stack.push(this.#remembered(this.#number(4)));
        return;
      case 0x61: // APPEND
        this.#append([this.#pop()]);
        return;
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        this.#append(this.#popMark());
        return;
      case 0x73: // SETITEM
        this.#need(2);
        this.#setItems(stack.splice(-2));
        return;
      case 0x75: // SETITEMS
        this.#setItems(this.#popMark());
        return;
      case 0x63: // GLOBAL
        stack.push(this.#global(`${this.#line()}.${this.#line()}`));
        return;
      case 0x93: {
        // STACK_GLOBAL
        const name = this.#pop();
        stack.push(this.#global(`${String(this.#pop())}.${String(name)}`));
        return;
      }
      case 0x51: // BINPERSID
        stack.push(this.#storage(this.#pop()));
        return;
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = this.#pop();
        stack.push(this.#make(this.#pop(), args));
        return;
      }
      case 0x62: {
        // BUILD
        const state = this.#pop();
        const made = stack[stack.length - 1];
        // A state dict's attributes say nothing of its arrays.
        if (made instanceof PickledObject) made.state = state;
        else if (!(made instanceof Map)) throw this.#broken('gives fields to what has none');
        return;
      }
      default:
        throw this.#broken(`has the instruction 0x${code.toString(16)}, which no checkpoint needs`);
    }
  }

  #global(name: string): Global {
    if (!allowed.has(name))
      throw new InputError(
        this.#path,
        `asks for ${name}, which is refused: a checkpoint may build tensors and nothing else`,
        this.#at,
      );
    return new Global(name);
  }

  #make(callee: unknown, args: unknown): unknown {
    if (!(callee instanceof Global) || !Array.isArray(args)) throw this.#broken('calls what is no function');
    switch (callee.name) {
      case 'collections.OrderedDict':
        return new Map();
      case 'argparse.Namespace':
        return new PickledObject(callee.name);
      case 'torch._utils._rebuild_parameter':
        if (!(args[0] instanceof PickledTensor)) throw this.#broken('makes a parameter of what is no tensor');
        return args[0];
      case 'torch._utils._rebuild_tensor_v2':
        return this.#tensor(args);
      default:
        throw this.#broken(`calls ${callee.name}`);
    }
  }

  #tensor([storage, offset, shape, strides]: unknown[]): PickledTensor {
    const whole = (list: unknown): list is number[] =>
      Array.isArray(list) && list.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
    if (
      !(storage instanceof Storage) ||
      !whole([offset]) ||
      !whole(shape) ||
      !whole(strides) ||
      shape.length !== strides.length
    )
      throw this.#broken('makes a tensor of what is none');
    const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, offset as number);
    if (sizeOf(shape) > 0 && last >= storage.count) throw this.#broken('has a tensor that reaches behind its numbers');
    return new PickledTensor(storage, offset as number, shape, strides);
  }

  /** What PyTorch refers to: `('storage', type, key, device, count)`. */
  #storage(id: unknown): Storage {
    const [kind, type, key, , count] = Array.isArray(id) ? id : [];
    const numbers = type instanceof Global ? storages[type.name] : undefined;
    if (kind !== 'storage' || !numbers || typeof key !== 'string' || !/^\d+$/.test(key) || !Number.isSafeInteger(count))
      throw this.#broken('refers to what is no storage');
    return new Storage(numbers, key, count as number);
  }

  #append(items: readonly unknown[]): void {
    const list = this.#stack[this.#stack.length - 1];
    if (!Array.isArray(list)) throw this.#broken('appends to what is no list');
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly unknown[]): void {
    const map = this.#stack[this.#stack.length - 1];
    if (!(map instanceof Map) || items.length % 2 !== 0) throw this.#broken('sets items of what is no dictionary');
    for (let k = 0; k < items.length; k += 2) map.set(items[k], items[k + 1]);
  }

  #remembered(key: number): unknown {
    if (!this.#memo.has(key)) throw this.#broken('remembers what was not there');
    return this.#memo.get(key);
  }

  #pop(): unknown {
    this.#need(1);
    return this.#stack.pop();
  }

  #need(count: number): void {
    if (this.#stack.length < count) throw this.#broken('takes more than there is');
  }

  #popMark(): unknown[] {
    const start = this.#stack.lastIndexOf(MARK);
    if (start < 0) throw this.#broken('has no mark');
    const items = this.#stack.splice(start);
    return items.slice(1);
  }

  #skip(bytes: number): void {
    this.#at += bytes;
    if (this.#at > this.#bytes.length) throw this.#broken('ends too early');
  }

  /** An unsigned number of 1, 2 or 4 bytes. */
  #number(bytes: 1 | 2 | 4): number {
    this.#skip(bytes);
    const at = this.#at - bytes;
    return bytes === 1
      ? this.#view.getUint8(at)
      : bytes === 2
        ? this.#view.getUint16(at, true)
        : this.#view.getUint32(at, true);
  }

  /** A signed number of any length; only those that a double holds are of use here. */
  #long(bytes: number): number {
    const part = this.#slice(bytes);
    let value = 0n;
    for (const [k, byte] of part.entries()) value |= BigInt(byte) << BigInt(8 * k);
    return Number(BigInt.asIntN(Math.max(8, 8 * bytes), value));
  }

  #slice(bytes: number): Uint8Array {
    this.#skip(bytes);
    return this.#bytes.subarray(this.#at - bytes, this.#at);
  }

  #text(bytes: number): string {
    return new TextDecoder().decode(this.#slice(bytes));
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#broken('ends too early');
    const text = new TextDecoder().decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return text;
  }

  #broken(problem: string): InputError {
    return new InputError(this.#path, `its pickle ${problem}`, this.#at);
  }
}
