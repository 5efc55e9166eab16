import { readFile, stat } from 'node:fs/promises';
import { RecordError } from '../errors.js';
import { imageInside } from './image-inside.js';
import { imageFormat } from './open-image.js';

const MAX_IMAGE_BYTES = 4 * 2 ** 20;

/**
 * Returns an image file as a data URI; null if it is missing, too large or no image by its content, or not in the folder, which
 * adds its name to `refused`.
 */
export async function imageDataUri(folder: string, name: string, refused: Set<string>): Promise<string | null> {
  const file = await imageInside(folder, name).catch((error: unknown) => {
    if (!(error instanceof RecordError)) throw error;
    refused.add(name);
    return null;
  });
  if (file === null) return null;
  const found = await stat(file).catch(() => null);
  if (!found?.isFile() || found.size > MAX_IMAGE_BYTES) return null;
  const bytes = await readFile(file);
  const format = imageFormat(bytes);
  // Browsers show the others.
  return format === null || format === 'tiff' ? null : `data:image/${format};base64,${bytes.toString('base64')}`;
}
