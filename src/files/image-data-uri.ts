import { readFile } from 'node:fs/promises';
import { RecordError } from '../errors.js';
import { findImageFile, imageContent, imageState } from './image-stores/find-image-file.js';
import { imageFormat } from './open-image.js';

const MAX_IMAGE_BYTES = 4 * 2 ** 20;

/**
 * Returns an image file as a data URI; null if it is missing, too large or no image by its content, or not in the folder, which
 * adds its name to `refused`.
 */
export async function imageDataUri(folder: string, name: string, refused: Set<string>): Promise<string | null> {
  try {
    const file = await findImageFile(folder, name);
    const found = await imageState(file);
    if (found === null || found.bytes > MAX_IMAGE_BYTES) return null;
    const content = await imageContent(file);
    const bytes = typeof content === 'string' ? await readFile(content) : content;
    const format = imageFormat(bytes);
    // Browsers show the others.
    return format === null || format === 'tiff' ? null : `data:image/${format};base64,${bytes.toString('base64')}`;
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    if (error.reason !== 'image-missing') refused.add(name);
    return null;
  }
}
