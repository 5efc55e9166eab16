import type { NumberType } from '../../files/weight-source.js';

/** Numbers of a storage. Types without `type` can be skipped, not read. */
export interface StoredNumbers {
  readonly type?: NumberType;
  /** Size of one number in bytes. */
  readonly bytes: number;
  /** Name for messages, as in PyTorch. */
  readonly name: string;
}

const numbers = (name: string, bytes: number, type?: NumberType): StoredNumbers => ({
  name,
  bytes,
  ...(type !== undefined && { type }),
});

/** Storages by their name in PyTorch. Those of graphics cards have the same names below `torch.cuda`. */
export const storageNames: ReadonlyMap<string, StoredNumbers> = new Map(
  Object.entries({
    'torch.DoubleStorage': numbers('float64', 8, 'F64'),
    'torch.FloatStorage': numbers('float32', 4, 'F32'),
    'torch.HalfStorage': numbers('float16', 2, 'F16'),
    'torch.BFloat16Storage': numbers('bfloat16', 2, 'BF16'),
    'torch.LongStorage': numbers('int64', 8, 'I64'),
    'torch.IntStorage': numbers('int32', 4, 'I32'),
    'torch.ShortStorage': numbers('int16', 2, 'I16'),
    'torch.CharStorage': numbers('int8', 1, 'I8'),
    'torch.ByteStorage': numbers('uint8', 1, 'U8'),
    'torch.BoolStorage': numbers('bool', 1, 'BOOL'),
    'torch.UntypedStorage': numbers('uint8', 1, 'U8'),
    'torch.storage.UntypedStorage': numbers('uint8', 1, 'U8'),
    'torch.ComplexFloatStorage': numbers('complex64', 8),
    'torch.ComplexDoubleStorage': numbers('complex128', 16),
    'torch.QInt8Storage': numbers('qint8', 1),
    'torch.QUInt8Storage': numbers('quint8', 1),
    'torch.QInt32Storage': numbers('qint32', 4),
    'torch.QUInt4x2Storage': numbers('quint4x2', 1),
    'torch.QUInt2x4Storage': numbers('quint2x4', 1),
  }),
);

/** Number types by their name in PyTorch. */
export const numberTypes: ReadonlyMap<string, StoredNumbers> = new Map(
  [
    ...storageNames.values(),
    numbers('uint16', 2, 'U16'),
    numbers('uint32', 4, 'U32'),
    numbers('uint64', 8, 'U64'),
    numbers('float8_e4m3fn', 1, 'F8_E4M3'),
    numbers('float8_e5m2', 1, 'F8_E5M2'),
    numbers('float8_e4m3fnuz', 1),
    numbers('float8_e5m2fnuz', 1),
    numbers('float8_e8m0fnu', 1),
    numbers('float4_e2m1fn_x2', 1),
    numbers('complex32', 4),
  ].map((type) => [`torch.${type.name}`, type]),
);

/** What a call of a Python name builds: plain data, or a tensor that cannot be read as numbers. */
export type PickledKind = 'dictionary' | 'list' | 'object' | 'tensor' | 'function';

const kinds: Readonly<Record<PickledKind, readonly string[]>> = {
  function: [
    'torch._utils._rebuild_tensor',
    'torch._utils._rebuild_tensor_v2',
    'torch._utils._rebuild_tensor_v3',
    'torch._utils._rebuild_parameter',
    'torch._utils._rebuild_parameter_with_state',
    'torch._tensor._rebuild_from_type_v2',
    'copyreg._reconstructor',
    'builtins.object',
  ],
  // Tensors of other layouts: they can be skipped, not read.
  tensor: [
    'torch._utils._rebuild_sparse_tensor',
    'torch._utils._rebuild_sparse_csr_tensor',
    'torch._utils._rebuild_nested_tensor',
    'torch._utils._rebuild_qtensor',
    'torch._utils._rebuild_meta_tensor_no_storage',
    'torch._utils._rebuild_device_tensor_from_numpy',
  ],
  dictionary: [
    'builtins.dict',
    'collections.OrderedDict',
    'collections.defaultdict',
    'collections.Counter',
    'easydict.EasyDict',
    'addict.addict.Dict',
    'yacs.config.CfgNode',
    'fvcore.common.config.CfgNode',
    'pytorch_lightning.utilities.parsing.AttributeDict',
    'lightning_fabric.utilities.data.AttributeDict',
    'lightning.fabric.utilities.data.AttributeDict',
  ],
  list: ['builtins.list', 'builtins.tuple', 'builtins.set', 'builtins.frozenset', 'collections.deque', 'torch.Size'],
  object: [
    'argparse.Namespace',
    'types.SimpleNamespace',
    ...['Path', 'PurePath', 'PosixPath', 'PurePosixPath', 'WindowsPath', 'PureWindowsPath'].flatMap((name) => [
      `pathlib.${name}`,
      `pathlib._local.${name}`,
    ]),
    ...['bool', 'int', 'float', 'complex', 'str', 'bytes', 'bytearray', 'range', 'slice'].map(
      (name) => `builtins.${name}`,
    ),
    ...['date', 'datetime', 'time', 'timedelta', 'timezone'].map((name) => `datetime.${name}`),
    'decimal.Decimal',
    'fractions.Fraction',
    'uuid.UUID',
    '_codecs.encode',
    'numpy.dtype',
    'numpy.ndarray',
    ...['numpy.core.multiarray', 'numpy._core.multiarray'].flatMap((name) => [
      `${name}._reconstruct`,
      `${name}.scalar`,
    ]),
    'numpy.core.numeric._frombuffer',
    'numpy._core.numeric._frombuffer',
    ...['bool_', 'float16', 'float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32'].map(
      (name) => `numpy.${name}`,
    ),
    'torch.device',
    'torch.Tensor',
    'torch._tensor.Tensor',
    'torch.nn.parameter.Parameter',
    'torch.nn.parameter.Buffer',
    'torch.serialization._get_layout',
    ...['strided', 'contiguous_format', 'preserve_format', 'channels_last'].map((name) => `torch.${name}`),
    ...['per_tensor_affine', 'per_channel_affine', 'per_tensor_symmetric'].map((name) => `torch.${name}`),
  ],
};

/**
 * Python names that a pickle may refer to: parts of tensors, and plain data. Each is known not to run code of the pickle
 * when Python calls it; here nothing is called at all.
 */
const pickledNames: ReadonlyMap<string, PickledKind> = new Map(
  (Object.keys(kinds) as PickledKind[]).flatMap((kind) => kinds[kind].map((name) => [name, kind] as const)),
);

/** Returns what a call of a Python name builds; undefined for names that are not allowed. */
export function pickledKind(name: string): PickledKind | undefined {
  return pickledNames.get(name) ?? (storageNames.has(name) || numberTypes.has(name) ? 'object' : undefined);
}

/** Returns the name of today for one of Python 2, or of a tensor on a graphics card. */
export const currentName = (name: string): string =>
  name
    .replace(/^__builtin__\./, 'builtins.')
    .replace(/^builtins\.xrange$/, 'builtins.range')
    .replace(/^copy_reg\./, 'copyreg.')
    .replace(/^torch\.tensor\._rebuild/, 'torch._tensor._rebuild')
    .replace(/^torch\.cuda\.(?=\w+Storage$)/, 'torch.');

/** Returns the kind of an object for messages, from the name of what builds it. */
export function plainKind(name: string): string {
  if (/^numpy\..*\b(?:_reconstruct|_frombuffer|ndarray)$/.test(name)) return 'numpy array';
  if (/^numpy\..*\.scalar$/.test(name)) return 'numpy scalar';
  if (name.startsWith('pathlib.')) return 'path';
  return name === '_codecs.encode' ? 'bytes' : name.replace(/^builtins\./, '');
}
