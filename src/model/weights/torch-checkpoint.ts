import { type FileHandle, open } from 'node:fs/promises';
import { InputError } from '../../errors.js';
import { numberBytes, sizeOf, toFloats, type WeightEntry, type WeightSource } from '../../files/weight-source.js';
import { PickledTensor } from './pickled-objects.js';
import { unpickle } from './unpickle.js';
import { listZipEntries, readZipBytes, readZipEntry, type ZipEntry, zipEntryStart } from './zip-entries.js';

const MAX_PICKLE = 64 << 20;

/**
 * Opens a checkpoint that PyTorch wrote (`torch.save`, version 1.6 or later). The state dict is the entry `model` or
 * `state_dict`, else the whole checkpoint; if every name starts with `module.`, this prefix is removed. No code of the
 * checkpoint is run.
 *
 * @throws InputError if the file is not a checkpoint, or its pickle refers to anything but tensors and plain data
 *
 * @example
 * ```ts
 * import { openTorchCheckpoint } from 'relflow/model';
 *
 * const checkpoint = await openTorchCheckpoint('checkpoint.pth');
 * const embedding = await checkpoint.read('transformer.level_embed');
 * console.log(checkpoint.entries.size, embedding.length);
 * await checkpoint.close();
 * ```
 */
export async function openTorchCheckpoint(path: string): Promise<WeightSource> {
  const file = await open(path).catch((cause) => {
    throw new InputError(path, 'cannot be opened', undefined, { cause });
  });
  try {
    return await readCheckpoint(path, file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readCheckpoint(path: string, file: FileHandle): Promise<WeightSource> {
  const files = await listZipEntries(path, file);
  const pickle = [...files.values()].find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  if (!pickle) throw new InputError(path, 'is an archive without data.pkl, expected a PyTorch checkpoint');
  if (pickle.bytes > MAX_PICKLE)
    throw new InputError(path, `has a pickle of ${pickle.bytes} bytes, expected at most ${MAX_PICKLE}`);
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  const order = files.get(`${folder}byteorder`);
  if (order) {
    const text = new TextDecoder().decode(
      await readZipEntry(path, file, { ...order, bytes: Math.min(order.bytes, 16) }),
    );
    if (text.trim() !== 'little') throw new InputError(path, `has ${text.trim()}-endian numbers, expected little`);
  }
  const bytes = await readZipEntry(path, file, pickle);
  const root = unpickle(path, new Uint8Array(bytes.buffer));
  const tensors = stateDict(path, root);
  for (const [name, { storage }] of tensors) {
    const numbers = files.get(`${folder}data/${storage.key}`);
    if (!numbers || numbers.bytes < storage.count * numberBytes[storage.type])
      throw new InputError(
        path,
        `lacks the data of ${name}, expected ${storage.count * numberBytes[storage.type]} bytes in data/${storage.key}`,
      );
  }
  return new TorchCheckpoint(path, file, tensors, (key) => files.get(`${folder}data/${key}`)!);
}

function stateDict(path: string, root: unknown): Map<string, PickledTensor> {
  if (!(root instanceof Map)) throw new InputError(path, 'is not a dictionary, expected a state dict');
  const inner = ['model', 'state_dict'].map((key) => root.get(key) as unknown).find((value) => value instanceof Map);
  const dictionary = (inner ?? root) as Map<unknown, unknown>;
  const tensors = [...dictionary].filter(
    (entry): entry is [string, PickledTensor] => typeof entry[0] === 'string' && entry[1] instanceof PickledTensor,
  );
  if (tensors.length === 0)
    throw new InputError(path, 'contains no tensors, expected them under model, under state_dict or at the top level');
  const prefixed = tensors.every(([name]) => name.startsWith('module.'));
  return new Map(tensors.map(([name, tensor]) => [prefixed ? name.slice('module.'.length) : name, tensor]));
}

class TorchCheckpoint implements WeightSource {
  readonly name: string;
  readonly entries: ReadonlyMap<string, WeightEntry>;
  readonly #file: FileHandle;
  readonly #tensors: ReadonlyMap<string, PickledTensor>;
  readonly #numbersOf: (key: string) => ZipEntry;

  constructor(
    name: string,
    file: FileHandle,
    tensors: ReadonlyMap<string, PickledTensor>,
    numbersOf: (key: string) => ZipEntry,
  ) {
    this.name = name;
    this.#file = file;
    this.#tensors = tensors;
    this.#numbersOf = numbersOf;
    this.entries = new Map([...tensors].map(([key, { storage, shape }]) => [key, { type: storage.type, shape }]));
  }

  async read(name: string): Promise<Float32Array> {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new InputError(this.name, `has no ${name}`);
    const { storage, offset, shape, strides } = tensor;
    const size = sizeOf(shape);
    if (size === 0) return new Float32Array(0);
    const width = numberBytes[storage.type];
    const span = shape.reduce((sum, count, axis) => sum + (count - 1) * strides[axis]!, 1);
    const start = await zipEntryStart(this.name, this.#file, this.#numbersOf(storage.key));
    const view = await readZipBytes(this.name, this.#file, start + offset * width, span * width);
    const numbers = toFloats(new Uint8Array(view.buffer), storage.type, span);
    return isContiguous(shape, strides) ? numbers : gatherStrided(numbers, shape, strides);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis]!;
  }
  return true;
}

/** Copies the elements of a strided view in row-major order. */
function gatherStrided(numbers: Float32Array, shape: readonly number[], strides: readonly number[]): Float32Array {
  const result = new Float32Array(sizeOf(shape));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = numbers[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= index[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}
