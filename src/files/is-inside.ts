import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { isMissing } from './is-missing.js';

/**
 * Resolves to whether a file or folder is in a folder when all links are resolved, those of the folder's own path too; null
 * when there is nothing at its path.
 */
export async function isInside(folder: string, path: string): Promise<boolean | null> {
  try {
    const [root, real] = await Promise.all([realpath(folder), realpath(path)]);
    return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
