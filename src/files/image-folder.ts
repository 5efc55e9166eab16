import { stat } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { isInStore } from './image-stores/find-image-file.js';
import { openImageStore } from './image-stores/open-image-store.js';

/**
 * Checks that the image folder, tar file or address of a store exists, if one is given.
 * @throws InputError if it does not, or cannot be read
 */
export async function checkImageFolder(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  if (isInStore(folder)) {
    await openImageStore(folder);
    return;
  }
  const found = await stat(folder).catch(() => null);
  if (!found) throw new InputError(folder, 'no such image folder');
  if (!found.isDirectory())
    throw new InputError(folder, 'is not a folder; --images is the folder that the file names start from');
}
