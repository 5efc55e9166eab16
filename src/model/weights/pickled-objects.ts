import { MAX_AXES, type NumberType, sizeOf } from '../../files/weight-source.js';
import type { PickleBytes } from './pickle-bytes.js';

/** Storage of a checkpoint: numbers in a file of their own within the archive. */
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

/** Tensor of a checkpoint: a view of a storage. */
export class PickledTensor {
  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
  readonly storage: Storage;
  /** Number of elements from the start of the storage. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Object of a checkpoint other than tensors and plain data, such as its options, represented by class name and fields. */
export class PickledObject {
  constructor(name: string) {
    this.name = name;
  }
  readonly name: string;
  state: unknown = null;
}

/** Python function or class that a pickle refers to by name. */
export class PickledGlobal {
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

/** Python names that a pickle may refer to: the parts of tensors, and options, which become inert fields. Nothing is called. */
const allowedGlobals = new Set([
  ...Object.keys(storages),
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
  'collections.OrderedDict',
  'argparse.Namespace',
]);

/**
 * Checks a Python name that a pickle refers to.
 * @throws InputError that contains the name, if it is not allowed
 */
export function pickledGlobal(name: string, from: PickleBytes): PickledGlobal {
  if (!allowedGlobals.has(name))
    throw from.refused(
      `refers to ${name.slice(0, 100)}, which is rejected: a checkpoint may contain only tensors and plain data`,
    );
  return new PickledGlobal(name);
}

/** Builds the object that a call of an allowed Python name stands for. No Python code is run. */
export function constructPickledObject(callee: unknown, args: unknown, from: PickleBytes): unknown {
  if (!(callee instanceof PickledGlobal) || !Array.isArray(args))
    throw from.broken('calls a value that is not a function');
  switch (callee.name) {
    case 'collections.OrderedDict':
      return new Map();
    case 'argparse.Namespace':
      return new PickledObject(callee.name);
    case 'torch._utils._rebuild_parameter':
      if (!(args[0] instanceof PickledTensor))
        throw from.broken('builds a parameter from a value that is not a tensor');
      return args[0];
    case 'torch._utils._rebuild_tensor_v2':
      return tensorOf(args, from);
    default:
      throw from.broken(`calls ${callee.name}, which is not a function`);
  }
}

function tensorOf([storage, offset, shape, strides]: unknown[], from: PickleBytes): PickledTensor {
  const isIndexList = (list: unknown): list is number[] =>
    Array.isArray(list) &&
    list.length <= MAX_AXES &&
    list.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
  if (
    !(storage instanceof Storage) ||
    !isIndexList([offset]) ||
    !isIndexList(shape) ||
    !isIndexList(strides) ||
    shape.length !== strides.length
  )
    throw from.broken('builds a tensor from invalid arguments');
  const size = sizeOf(shape);
  if (size > storage.count)
    throw from.broken(`has a tensor of ${size} numbers in a storage of ${storage.count}, expected at most as many`);
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis]!, offset as number);
  if (size > 0 && last >= storage.count) throw from.broken('has a tensor that extends beyond its storage');
  return new PickledTensor(storage, offset as number, shape, strides);
}

/** Reads PyTorch's reference to a storage, `('storage', type, key, device, count)`. */
export function pickledStorage(id: unknown, from: PickleBytes): Storage {
  const [kind, type, key, , count] = Array.isArray(id) ? id : [];
  const numbers = type instanceof PickledGlobal ? storages[type.name] : undefined;
  if (kind !== 'storage' || !numbers || typeof key !== 'string' || !/^\d+$/.test(key) || !isCount(count))
    throw from.broken('refers to an invalid storage');
  return new Storage(numbers, key, count);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
