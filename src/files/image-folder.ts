import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';

/**
 * Checks that the image folder exists, if one is given.
 * @throws InputError if it does not
 */
export async function checkImageFolder(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  const found = await stat(folder).catch(() => null);
  if (!found) throw new InputError(folder, 'no such image folder');
  if (!found.isDirectory())
    throw new InputError(folder, 'is not a folder; --images is the folder that the file names start from');
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
  for (const candidate of candidates) {
    const found = await stat(join(folder, candidate)).catch(() => null);
    if (found?.isFile()) return candidate;
  }
  return null;
}

/**
 * Normalizes a path to a relative path with forward slashes that stays within its folder, or returns null if it might
 * not do so on some system: absolute paths, drives, URLs, control characters, and segments of dots (some systems read
 * those as `..` even when spaces follow). A leading `./` is removed. A colon before a space is part of a name.
 */
export function safeRelativePath(path: string): string | null {
  const below = path.replaceAll('\\', '/').replace(/^(?:\.\/+)+/, '');
  const isUnsafe =
    /^\/|^[a-z][a-z0-9+.-]*:(?! )|\p{Cc}/iu.test(below) || below.split('/').some((segment) => /^\.+ *$/.test(segment));
  return isUnsafe ? null : below;
}
