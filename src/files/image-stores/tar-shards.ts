import { open, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError, RecordError } from '../../errors.js';
import { listNames } from '../list-names.js';
import { readBytes } from '../read-bytes.js';
import { safeRelativePath } from '../safe-relative-path.js';
import { ImageCatalog } from './image-catalog.js';
import type { ImageStore, StoredImage } from './image-store.js';
import { isTarFile } from './is-tar-file.js';
import { type TarMember, tarMembers } from './tar-members.js';

/** Where an image is: number of the shard, first byte, size. */
type Place = readonly [shard: number, offset: number, bytes: number];

const COMPRESSED = /\.(?:tar\.gz|tgz)$/i;

/**
 * Opens the images in a tar file, or in the tar files directly in a folder (WebDataset). The headers are read once; images are
 * read where they are, and nothing is unpacked.
 * @returns null if the folder has no tar file
 * @throws InputError if a shard is damaged
 */
export async function openTarShards(where: string): Promise<(ImageStore & { close(): Promise<void> }) | null> {
  const isOne = isTarFile(where) && (await stat(where)).isFile();
  const folder = isOne ? dirname(where) : where;
  const names = isOne ? [basename(where)] : await listNames(where);
  const shards = names.filter(isTarFile).sort();
  const compressed = names.find((name) => COMPRESSED.test(name));
  if (shards.length === 0 && compressed && names.every((name) => COMPRESSED.test(name) || /\.(?:json|txt)$/.test(name)))
    throw new InputError(
      where,
      `has ${compressed}; compressed shards cannot be read in place, decompress them with gunzip`,
    );
  if (shards.length === 0) return null;
  const changed = await Promise.all(shards.map(async (shard) => (await stat(join(folder, shard))).mtimeMs));
  const catalog = await ImageCatalog.of(placesIn(folder, shards));
  const find = async (path: string): Promise<StoredImage | null> => {
    const [first, second] = await catalog.get(path);
    if (!first) return null;
    if (second) {
      const where = [...new Set([shards[first[0]], shards[second[0]]])].join(' and ');
      throw new RecordError('ambiguous-path', `${path} is in ${where} more than once; rename or remove one of them`);
    }
    const shard = shards[first[0]] as string;
    return member(join(folder, shard), path, first, `${shard} ${first[1]} ${changed[first[0]]}`);
  };
  return { find, similar: (name) => catalog.similar(name), folders: catalog.folders, close: () => catalog.close() };
}

async function* placesIn(folder: string, shards: readonly string[]): AsyncGenerator<readonly [string, Place]> {
  for (const [number, shard] of shards.entries()) {
    const file = join(folder, shard);
    for await (const { path, offset, bytes } of membersOf(file)) {
      // A path that leaves the folder is never asked for.
      const safe = safeRelativePath(path);
      if (safe !== null) yield [safe, [number, offset, bytes]];
    }
  }
}

async function* membersOf(file: string): AsyncGenerator<TarMember> {
  try {
    yield* tarMembers(file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(file, `cannot be read: ${(error as Error).message}`, undefined, { cause: error });
  }
}

function member(file: string, path: string, [, offset, bytes]: Place, tag: string): StoredImage {
  const name = `${file}/${path}`;
  const read = async (count: number): Promise<Buffer> => {
    const handle = await open(file).catch((cause: unknown) => {
      throw new RecordError('image-missing', `${name}: ${(cause as Error).message}`, {}, { cause });
    });
    try {
      const content = await readBytes(handle, offset, count);
      if (content.length === count) return content;
      throw new RecordError('image-changed', `${name}: the shard became shorter while it was read`);
    } finally {
      await handle.close();
    }
  };
  return { name, bytes, tag, read: () => read(bytes), readStart: (count) => read(Math.min(count, bytes)) };
}
