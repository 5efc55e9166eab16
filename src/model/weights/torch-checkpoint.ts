import { type FileHandle, open } from 'node:fs/promises';
import { InputError } from '../../errors.js';
import { sizeOf, toFloats, type WeightEntry, type WeightSource } from '../../files/weight-source.js';
import { weightsForm } from './foreign-file.js';
import type { PickledTensor } from './pickled-objects.js';
import { stateDict } from './state-dict.js';
import { openTorchArchive, type TorchFile } from './torch-archive.js';
import { openTorchLegacy } from './torch-legacy.js';
import { readZipBytes } from './zip-entries.js';

/** Options of `openTorchCheckpoint`. */
export interface CheckpointOptions {
  /** Entry of the checkpoint that holds the state dict, such as `model_ema` or `ema.module`; `.` is the whole of it. */
  readonly entry?: string;
}

/**
 * Opens a checkpoint that PyTorch wrote with `torch.save`, of any version. The state dict is the entry `model`,
 * `state_dict` or another usual one, else the only one that the checkpoint has; prefixes of wrappers (`module.`,
 * `_orig_mod.`, `model.`) are removed. Other values than tensors are skipped and counted in `notes`. No code of the
 * checkpoint is run.
 *
 * @throws InputError if the file is not a checkpoint, which says what it is; or its pickle refers to anything but tensors
 * and plain data, or it has several state dicts and none of a usual name
 *
 * @example
 * ```ts
 * import { openTorchCheckpoint } from 'relflow/model';
 *
 * const checkpoint = await openTorchCheckpoint('checkpoint.pth');
 * const embedding = await checkpoint.read('transformer.level_embed');
 * console.log(checkpoint.entries.size, embedding.length, checkpoint.notes);
 * await checkpoint.close();
 * ```
 */
export async function openTorchCheckpoint(path: string, { entry }: CheckpointOptions = {}): Promise<WeightSource> {
  const form = await weightsForm(path);
  if (form === 'safetensors')
    throw new InputError(
      path,
      'is a safetensors file, expected a PyTorch checkpoint: rename it to end in .safetensors',
    );
  if (form === null)
    throw new InputError(
      path,
      'is of an unknown kind, expected a PyTorch checkpoint: it may be damaged, download it again',
    );
  const file = await open(path);
  try {
    const torch = await (form === 'zip' ? openTorchArchive : openTorchLegacy)(path, file);
    const { tensors, notes } = stateDict(path, torch.root, entry);
    checkNumbers(path, torch, tensors);
    return new TorchCheckpoint(path, file, torch, tensors, notes);
  } catch (error) {
    await file.close();
    throw error;
  }
}

function checkNumbers(path: string, torch: TorchFile, tensors: ReadonlyMap<string, PickledTensor>): void {
  for (const [name, { storage }] of tensors) {
    const expected = (storage.offset + storage.count) * storage.numbers.bytes;
    if ((torch.lengthOf(storage) ?? -1) < expected)
      throw new InputError(path, `lacks the data of ${name}, expected ${expected} bytes in data/${storage.key}`);
  }
}

class TorchCheckpoint implements WeightSource {
  readonly name: string;
  readonly entries: ReadonlyMap<string, WeightEntry>;
  readonly notes: readonly string[];
  readonly #file: FileHandle;
  readonly #torch: TorchFile;
  readonly #tensors: ReadonlyMap<string, PickledTensor>;

  constructor(
    name: string,
    file: FileHandle,
    torch: TorchFile,
    tensors: ReadonlyMap<string, PickledTensor>,
    notes: readonly string[],
  ) {
    this.name = name;
    this.notes = notes;
    this.#file = file;
    this.#torch = torch;
    this.#tensors = tensors;
    this.entries = new Map([...tensors].map(([key, { numbers, shape }]) => [key, { type: numbers.type!, shape }]));
  }

  async read(name: string): Promise<Float32Array> {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new InputError(this.name, `has no ${name}`);
    const { storage, numbers, offset, shape, strides } = tensor;
    if (sizeOf(shape) === 0) return new Float32Array(0);
    const span = shape.reduce((sum, count, axis) => sum + (count - 1) * strides[axis]!, 1);
    const first = storage.offset * storage.numbers.bytes + offset * numbers.bytes;
    const start = (await this.#torch.startOf(storage)) + first;
    const view = await readZipBytes(this.name, this.#file, start, span * numbers.bytes);
    const values = toFloats(new Uint8Array(view.buffer), numbers.type!, span);
    return isContiguous(shape, strides) ? values : gatherStrided(values, shape, strides);
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
