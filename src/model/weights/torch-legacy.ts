import type { FileHandle } from 'node:fs/promises';
import { InputError } from '../../errors.js';
import { PickleBytes } from './pickle-bytes.js';
import type { Storage } from './pickled-objects.js';
import { MAX_PICKLE, type TorchFile } from './torch-archive.js';
import { unpickleNext } from './unpickle.js';
import { readZipBytes } from './zip-entries.js';

/** First value of the files of PyTorch before version 1.6, as a double. */
const MAGIC = Number(0x1950a86a20f9469cfc6cn);
const PROTOCOL = 1001;
const MAX_STORAGES = 100_000;

/**
 * Opens a checkpoint of PyTorch before version 1.6: pickles of a magic number, the protocol, the system, the values and
 * the keys of the storages, then the numbers of each storage after their count.
 * @throws InputError if the file is another pickle, or damaged
 */
export async function openTorchLegacy(path: string, file: FileHandle): Promise<TorchFile> {
  const { size } = await file.stat();
  const start = await readZipBytes(path, file, 0, Math.min(size, MAX_PICKLE));
  const bytes = new PickleBytes(path, new Uint8Array(start.buffer));
  if (unpickleNext(bytes) !== MAGIC)
    throw new InputError(
      path,
      'is a Python pickle that torch.save did not write, expected a PyTorch checkpoint: save a state dict of tensors with torch.save',
    );
  const protocol = unpickleNext(bytes);
  if (protocol !== PROTOCOL) throw new InputError(path, `has protocol ${String(protocol)}, expected ${PROTOCOL}`);
  const system = unpickleNext(bytes);
  if (system instanceof Map && system.get('little_endian') === false)
    throw new InputError(path, 'has big-endian numbers, expected little');
  const storages = new Map<string, Storage>();
  const root = unpickleNext(bytes, (storage) => storages.set(storage.key, storage));
  const keys = unpickleNext(bytes);
  if (!Array.isArray(keys) || keys.length > MAX_STORAGES)
    throw new InputError(path, `has no list of at most ${MAX_STORAGES} storages`);
  const places = await findStorages(path, file, bytes.position, keys, storages);
  return {
    root,
    lengthOf: ({ key }) => places.get(key)?.bytes,
    startOf: ({ key }) => Promise.resolve(places.get(key)!.start),
  };
}

async function findStorages(
  path: string,
  file: FileHandle,
  from: number,
  keys: readonly unknown[],
  storages: ReadonlyMap<string, Storage>,
) {
  const { size } = await file.stat();
  const places = new Map<string, { readonly start: number; readonly bytes: number }>();
  let at = from;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage) throw new InputError(path, `has numbers of a storage ${String(key).slice(0, 40)} that no value uses`);
    if (at + 8 > size) throw new InputError(path, 'ends before the numbers of all storages: download it again');
    const count = (await readZipBytes(path, file, at, 8)).getBigInt64(0, true);
    const bytes = Number(count) * storage.numbers.bytes;
    if (count < 0n || at + 8 + bytes > size)
      throw new InputError(
        path,
        `ends within the numbers of a storage, at byte ${size} of ${at + 8 + bytes}: download it again`,
      );
    places.set(storage.key, { start: at + 8, bytes });
    at += 8 + bytes;
  }
  return places;
}
