import { type NumberType, sizeOf } from '../../files/weight-source.js';
import type { PickleBytes } from './pickle-bytes.js';

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

/** What may be asked for: what tensors are made of, and options, which become inert fields. Nothing is ever called. */
const allowedGlobals = new Set([
  ...Object.keys(storages),
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
  'collections.OrderedDict',
  'argparse.Namespace',
]);

/** @throws InputError with the name, where it is none of a tensor's parts */
export function globalOf(name: string, from: PickleBytes): PickledGlobal {
  if (!allowedGlobals.has(name))
    throw from.refused(`asks for ${name}, which is refused: a checkpoint may build tensors and nothing else`);
  return new PickledGlobal(name);
}

/** What a callee that was asked for makes of its arguments; nothing is ever called. */
export function construct(callee: unknown, args: unknown, from: PickleBytes): unknown {
  if (!(callee instanceof PickledGlobal) || !Array.isArray(args)) throw from.broken('calls what is no function');
  switch (callee.name) {
    case 'collections.OrderedDict':
      return new Map();
    case 'argparse.Namespace':
      return new PickledObject(callee.name);
    case 'torch._utils._rebuild_parameter':
      if (!(args[0] instanceof PickledTensor)) throw from.broken('makes a parameter of what is no tensor');
      return args[0];
    case 'torch._utils._rebuild_tensor_v2':
      return tensorOf(args, from);
    default:
      throw from.broken(`calls ${callee.name}`);
  }
}

function tensorOf([storage, offset, shape, strides]: unknown[], from: PickleBytes): PickledTensor {
  const isIndexList = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
  if (
    !(storage instanceof Storage) ||
    !isIndexList([offset]) ||
    !isIndexList(shape) ||
    !isIndexList(strides) ||
    shape.length !== strides.length
  )
    throw from.broken('makes a tensor of what is none');
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, offset as number);
  if (sizeOf(shape) > 0 && last >= storage.count) throw from.broken('has a tensor that reaches behind its numbers');
  return new PickledTensor(storage, offset as number, shape, strides);
}

/** What PyTorch refers to: `('storage', type, key, device, count)`. */
export function storageOf(id: unknown, from: PickleBytes): Storage {
  const [kind, type, key, , count] = Array.isArray(id) ? id : [];
  const numbers = type instanceof PickledGlobal ? storages[type.name] : undefined;
  if (kind !== 'storage' || !numbers || typeof key !== 'string' || !/^\d+$/.test(key) || !Number.isSafeInteger(count))
    throw from.broken('refers to what is no storage');
  return new Storage(numbers, key, count as number);
}
