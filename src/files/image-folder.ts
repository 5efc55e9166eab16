import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';

/**
 * Checks the folder of a set's images, where one is given.
 * @throws InputError where it is not there
 */
export async function checkImageFolder(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  const found = await stat(folder).catch(() => null);
  if (!found?.isDirectory()) throw new InputError(folder, 'no such image folder');
}

/**
 * The first of some paths below the image folder where there is a file, or null; without a folder the first one, unasked.
 * @param candidates must be known to stay below the folder
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
 * A path as one below a folder, with forward slashes; null where it may not be one on any system: absolute paths, drives
 * and URLs, control characters, and segments of dots, which some systems take for `..` with blanks after them too. A
 * leading `./` is taken off.
 */
export function safeRelativePath(path: string): string | null {
  const below = path.replaceAll('\\', '/').replace(/^(?:\.\/+)+/, '');
  const isUnsafe =
    /^\/|^[a-z][a-z0-9+.-]*:|\p{Cc}/iu.test(below) || below.split('/').some((segment) => /^\.+ *$/.test(segment));
  return isUnsafe ? null : below;
}
