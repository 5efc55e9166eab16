import type { FileHandle } from 'node:fs/promises';
import { InputError } from '../../errors.js';
import type { Storage } from './pickled-objects.js';
import { unpickle } from './unpickle.js';
import { listZipEntries, readZipEntry, type ZipEntry, zipEntryStart } from './zip-entries.js';

export const MAX_PICKLE = 64 << 20;

/** Values of a checkpoint, and where the numbers of its storages are. */
export interface TorchFile {
  readonly root: unknown;
  /** Returns the length in bytes of a storage's numbers; undefined if the file lacks them. */
  lengthOf(storage: Storage): number | undefined;
  /** Returns the offset in the file of a storage's first byte. */
  startOf(storage: Storage): Promise<number>;
}

/**
 * Opens the archive that PyTorch writes since version 1.6.
 * @throws InputError if the archive is another one, or damaged
 */
export async function openTorchArchive(path: string, file: FileHandle): Promise<TorchFile> {
  const files = await listZipEntries(path, file);
  const pickle = [...files.values()].find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  if (!pickle) throw new InputError(path, otherArchive([...files.keys()]));
  if (pickle.bytes > MAX_PICKLE)
    throw new InputError(path, `has a pickle of ${pickle.bytes} bytes, expected at most ${MAX_PICKLE}`);
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  if (files.has(`${folder}constants.pkl`))
    throw new InputError(
      path,
      `is a TorchScript program, which is rejected. If you trust its author, save its weights in Python: torch.save(torch.jit.load(${JSON.stringify(path)}).state_dict(), 'weights.pth')`,
    );
  await checkByteOrder(path, file, files.get(`${folder}byteorder`));
  const bytes = await readZipEntry(path, file, pickle);
  const numbersOf = ({ key }: Storage) => files.get(`${folder}data/${key}`);
  return {
    root: unpickle(path, new Uint8Array(bytes.buffer)),
    lengthOf: (storage) => numbersOf(storage)?.bytes,
    startOf: (storage) => zipEntryStart(path, file, numbersOf(storage)!),
  };
}

/** Says what an archive without `data.pkl` is. */
function otherArchive(names: readonly string[]): string {
  const inside = names.find((name) => /\.(?:pth|pt|bin|ckpt|safetensors)$/i.test(name));
  if (inside !== undefined) return `is a zip archive that contains ${inside}: unpack it and give that file`;
  if (names.some((name) => /(?:^|\/)data\.pkl$/.test(name)))
    return 'is a PyTorch checkpoint that was packed again: unpack it, and save it with torch.save';
  if (names.some((name) => name.endsWith('.npy')))
    return 'is an archive of NumPy arrays (.npz), expected a PyTorch checkpoint: save a state dict with torch.save';
  const list = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} others` : names.join(', ');
  return `is an archive without data.pkl, expected a PyTorch checkpoint; it contains ${list || 'nothing'}`;
}

async function checkByteOrder(path: string, file: FileHandle, order: ZipEntry | undefined): Promise<void> {
  if (!order) return;
  const bytes = await readZipEntry(path, file, { ...order, bytes: Math.min(order.bytes, 16) });
  const text = new TextDecoder().decode(bytes).trim();
  if (text !== 'little') throw new InputError(path, `has ${text}-endian numbers, expected little`);
}
