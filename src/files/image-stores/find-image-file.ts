import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RecordError } from '../../errors.js';
import { imageInside } from '../image-inside.js';
import { isFile } from '../is-file.js';
import { isS3Address } from '../s3/s3-address.js';
import { safeRelativePath } from '../safe-relative-path.js';
import type { StoredImage } from './image-store.js';
import { isTarFile } from './is-tar-file.js';
import { openImageStore } from './open-image-store.js';

/** The file of an image: a path on disk, or an image in a shard or store. */
export type ImageSource = string | StoredImage;

/** The maximum size of an image in a shard or store, which is read as a whole, in bytes. */
const MAX_BYTES = 256 << 20;

/** Returns whether images are not files of a folder: those of an `s3://` address and of a tar file. */
export const isInStore = (where: string): boolean => isS3Address(where) || isTarFile(where);

/**
 * Returns the file of an image in the first of several places that has it: folders, whose tar files count as folders, tar
 * files, and `s3://` addresses. If none has it, the path that it should have on disk. See `imageInside` for links.
 * @throws RecordError `unsafe-path`, `image-outside-folder`, `ambiguous-path`, or `image-missing` if no place is a folder;
 * InputError if a store cannot be read
 */
export async function findImageFile(places: string | readonly string[], file: string): Promise<ImageSource> {
  const list = typeof places === 'string' ? [places] : places;
  const below = safeRelativePath(file);
  const folders = list.filter((place) => !isInStore(place));
  if (below !== null) {
    for (const place of list) {
      if (folders.includes(place) && (await isFile(join(place, below)))) return imageInside(place, file);
      const stored = await (await openImageStore(place))?.find(below);
      if (stored) return stored;
    }
    if (list.length > 0 && folders.length === 0)
      throw new RecordError('image-missing', `no file ${below} in ${list.join(' or ')}`);
  }
  return imageInside(folders, file);
}

/** Returns whether an image folder, tar file or store has an image at a path that does not leave it. */
export async function hasImage(place: string, below: string): Promise<boolean> {
  if (!isInStore(place) && (await isFile(join(place, below)))) return true;
  const store = await openImageStore(place);
  // What several shards have is found, and rejected by name when it is read.
  return store !== null && (await store.find(below).catch(ignoreRecordErrors)) !== null;
}

/**
 * Returns the first of several relative paths at which the image folder has a file, or null if it has none of them.
 * Without a folder it returns the first path unchecked.
 * @param candidates relative paths that do not leave the folder, see `safeRelativePath`
 */
export async function findImage(
  folder: string | undefined,
  candidates: readonly [string, ...string[]],
): Promise<string | null> {
  if (folder === undefined) return candidates[0];
  for (const candidate of candidates) if (await hasImage(folder, candidate)) return candidate;
  return null;
}

/**
 * Returns what decoders read: the path of a file, or the content of a stored image.
 * @throws as `StoredImage.read`, and RecordError `image-too-large`
 */
export async function imageContent(source: ImageSource): Promise<string | Buffer> {
  if (typeof source === 'string') return source;
  if (source.bytes > MAX_BYTES)
    throw new RecordError('image-too-large', `${source.name} has ${source.bytes} bytes, expected at most ${MAX_BYTES}`);
  return source.read();
}

/** Reads the content of a file. @throws as `imageContent`, and the system's error if the file cannot be read */
export async function imageBytes(source: ImageSource): Promise<Buffer> {
  const content = await imageContent(source);
  return typeof content === 'string' ? readFile(content) : content;
}

/** Returns the name of a file for messages. */
export const imageName = (source: ImageSource): string => (typeof source === 'string' ? source : source.name);

/** The size of a file in bytes, and a text that differs when its content differs; null if it is missing or not a regular file. */
export async function imageState(
  source: ImageSource,
): Promise<{ readonly bytes: number; readonly tag: string } | null> {
  if (typeof source !== 'string') return source;
  const found = await stat(source).catch(() => null);
  return found?.isFile() ? { bytes: found.size, tag: String(found.mtimeMs) } : null;
}

function ignoreRecordErrors(error: unknown): true {
  if (error instanceof RecordError) return true;
  throw error;
}
