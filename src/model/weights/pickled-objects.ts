import { InputError } from '../../errors.js';
import { MAX_AXES, sizeOf } from '../../files/weight-source.js';
import type { PickleBytes } from './pickle-bytes.js';
import { currentName, numberTypes, pickledKind, type StoredNumbers, storageNames } from './pickled-names.js';

/** Most numbers of a tensor that repeats those of its storage, as `expand` makes them. */
const MAX_REPEATED = 65_536;

/** Storage of a checkpoint: numbers that one or several tensors view. */
export class Storage {
  constructor(numbers: StoredNumbers, key: string, count: number, offset = 0) {
    this.numbers = numbers;
    this.key = key;
    this.count = count;
    this.offset = offset;
  }
  readonly numbers: StoredNumbers;
  readonly key: string;
  readonly count: number;
  /** Number of elements from the start of the storage of the same key; old files have views of storages. */
  readonly offset: number;
}

/** Tensor of a checkpoint: a view of a storage. */
export class PickledTensor {
  constructor(
    storage: Storage,
    numbers: StoredNumbers,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    this.storage = storage;
    this.numbers = numbers;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
  readonly storage: Storage;
  readonly numbers: StoredNumbers;
  /** Number of elements from the start of the storage. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Tensor that is not a view of plain numbers: a sparse or quantized one. */
export class OtherTensor {
  constructor(kind: string) {
    this.kind = kind;
  }
  /** What builds it, for messages. */
  readonly kind: string;
}

/** Object of a checkpoint other than tensors, lists and dictionaries, such as its options: nothing of it is used. */
export class PickledObject {
  constructor(name: string) {
    this.name = name;
  }
  readonly name: string;
}

/** Python function or class that a pickle refers to by name. */
export class PickledGlobal {
  constructor(name: string) {
    this.name = name;
  }
  readonly name: string;
}

/**
 * Checks a Python name that a pickle refers to.
 * @throws InputError that contains the name and a way on, if it is not allowed
 */
export function pickledGlobal(name: string, from: PickleBytes): PickledGlobal {
  const current = currentName(name);
  if (pickledKind(current) === undefined)
    throw new InputError(
      from.path,
      `refers to ${name.slice(0, 100)}, which is rejected: a checkpoint may contain only tensors and plain data. ${wayOn(current, from.path)}`,
    );
  return new PickledGlobal(current);
}

/** Modules of Python whose functions act on the machine or run code that they are given. */
const harmful =
  /^(?:builtins|nt|os|posix|subprocess|sys|shutil|socket|runpy|importlib|io|pty|ctypes|functools|operator)\./;

function wayOn(name: string, path: string): string {
  if (harmful.test(name)) return 'Do not load this file in Python, where it would run code.';
  const isModule = /^torch\.nn\.(?:modules|parallel)\./.test(name);
  const weights = isModule ? '.state_dict()' : "['model']";
  const problem = isModule ? 'It holds a whole module. ' : '';
  return `${problem}If you trust its author, since this runs its code, save the weights alone in Python: torch.save(torch.load(${JSON.stringify(path)}, map_location='cpu', weights_only=False)${weights}, 'weights.pth')`;
}

/** Builds the object that a call of an allowed Python name stands for. No Python code is run. */
export function constructPickledObject(callee: unknown, args: unknown, from: PickleBytes): unknown {
  if (!(callee instanceof PickledGlobal) || !Array.isArray(args))
    throw from.broken('calls a value that is not a function');
  switch (pickledKind(callee.name)) {
    case 'dictionary':
      return dictionaryOf(args);
    case 'list':
      return Array.isArray(args[0]) ? (args[0] as unknown[]) : [];
    case 'tensor':
      return new OtherTensor(callee.name);
    case 'object':
      return new PickledObject(callee.name);
    default:
      return callFunction(callee.name, args, from);
  }
}

function callFunction(name: string, args: unknown[], from: PickleBytes): unknown {
  switch (name) {
    case 'torch._utils._rebuild_parameter':
    case 'torch._utils._rebuild_parameter_with_state':
      if (!(args[0] instanceof PickledTensor || args[0] instanceof OtherTensor))
        throw from.broken('builds a parameter from a value that is not a tensor');
      return args[0];
    case 'torch._tensor._rebuild_from_type_v2': {
      const [builder, , inner] = args;
      // One level: a call within a call would nest as deep as a pickle likes.
      if (builder instanceof PickledGlobal && builder.name === name) throw from.broken(`calls ${name} within itself`);
      return constructPickledObject(builder, inner, from);
    }
    case 'copyreg._reconstructor':
      return constructPickledObject(args[0], args.slice(2), from);
    case 'torch._utils._rebuild_tensor':
    case 'torch._utils._rebuild_tensor_v2':
      return viewOf(args, undefined, args[6], from);
    case 'torch._utils._rebuild_tensor_v3':
      return viewOf(args, args[6], args[7], from);
    default:
      throw from.broken(`calls ${name}, which is not a function`);
  }
}

/** Builds a tensor; one whose numbers are negated or conjugated when they are read is not read. */
function viewOf(args: unknown[], type: unknown, flags: unknown, from: PickleBytes): PickledTensor | OtherTensor {
  const isFlagged = flags instanceof Map && [...flags.values()].some((flag) => flag === true);
  return isFlagged ? new OtherTensor('a view that negates or conjugates') : tensorOf(args, type, from);
}

/** A counter is built from a dictionary; Python 2 builds an ordered dictionary from a list of pairs. */
function dictionaryOf([items]: unknown[]): Map<unknown, unknown> {
  if (items instanceof Map) return items;
  const pairs = Array.isArray(items) ? items : [];
  return new Map(pairs.filter((pair): pair is [string, unknown] => Array.isArray(pair) && typeof pair[0] === 'string'));
}

function tensorOf([storage, offset, shape, strides]: unknown[], type: unknown, from: PickleBytes): PickledTensor {
  const isIndexList = (list: unknown): list is number[] =>
    Array.isArray(list) &&
    list.length <= MAX_AXES &&
    list.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
  const numbers = type === undefined && storage instanceof Storage ? storage.numbers : typeOf(type);
  if (
    !(storage instanceof Storage) ||
    !numbers ||
    !isIndexList([offset]) ||
    !isIndexList(shape) ||
    !isIndexList(strides) ||
    shape.length !== strides.length
  )
    throw from.broken('builds a tensor from invalid arguments');
  const count = Math.floor((storage.count * storage.numbers.bytes) / numbers.bytes);
  const size = sizeOf(shape);
  if (size > count && (size > MAX_REPEATED || count === 0))
    throw from.broken(
      `has a tensor of ${size} numbers in a storage of ${count}, expected at most as many, or at most ${MAX_REPEATED} that repeat them`,
    );
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis]!, offset as number);
  if (size > 0 && last >= count) throw from.broken('has a tensor that extends beyond its storage');
  return new PickledTensor(storage, numbers, offset as number, shape, strides);
}

const typeOf = (type: unknown): StoredNumbers | undefined =>
  type instanceof PickledGlobal ? numberTypes.get(type.name) : undefined;

/**
 * Reads PyTorch's reference to a storage, `('storage', type, key, device, count)`; old files may add a view of another
 * storage, `(key, offset, count)`.
 */
export function pickledStorage(id: unknown, from: PickleBytes): Storage {
  const [kind, type, key, , count, view = null] = Array.isArray(id) ? id : [];
  const numbers = type instanceof PickledGlobal ? storageNames.get(type.name) : undefined;
  if (kind !== 'storage' || !numbers || typeof key !== 'string' || !/^\d+$/.test(key) || !isCount(count))
    throw from.broken('refers to an invalid storage');
  if (view === null) return new Storage(numbers, key, count);
  const [, offset, viewed] = Array.isArray(view) ? view : [];
  if (!isCount(offset) || !isCount(viewed) || offset + viewed > count)
    throw from.broken('refers to a view beyond its storage');
  return new Storage(numbers, key, viewed, offset);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
