import { RecordError } from '../errors.js';
import { type PixelSize, readImageHeader } from './image-header.js';
import { findImageFile, imageBytes, imageState } from './image-stores/find-image-file.js';
import { imageFormat } from './open-image.js';
import { scaledJpeg } from './scaled-jpeg.js';

const MAX_IMAGE_BYTES = 4 * 2 ** 20;

/** An image of more bytes than this is made smaller for a page: its longest side in pixels, and JPEG's quality. */
const SMALL = { bytes: 64 * 2 ** 10, side: 640, quality: 75 };

/**
 * Returns an image file as a data URI that browsers show; null if it is missing, too large or no image by its content, or not
 * in the folder, which adds its name to `refused`.
 *
 * @param annotated the size of the image as its boxes know it; a large image is then shown smaller, whatever its size
 */
export async function imageDataUri(
  folder: string,
  name: string,
  refused: Set<string>,
  annotated?: PixelSize,
): Promise<string | null> {
  try {
    const file = await findImageFile(folder, name);
    const found = await imageState(file);
    if (found === null) return null;
    const small = async (size: PixelSize) =>
      dataUri('jpeg', await scaledJpeg(file, size, SMALL.side / Math.max(size.width, size.height), SMALL.quality));
    if (annotated && found.bytes > SMALL.bytes) return await small(annotated);
    if (found.bytes > MAX_IMAGE_BYTES) return null;
    const bytes = await imageBytes(file);
    const format = imageFormat(bytes);
    if (format === null) return null;
    // Browsers show the other formats, and rotate an image as its EXIF orientation asks for, whatever its boxes belong to.
    if (annotated && (format === 'tiff' || (await isRotated(bytes)))) return await small(annotated);
    return format === 'tiff' ? null : dataUri(format, bytes);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    if (outside.has(error.reason)) refused.add(name);
    return null;
  }
}

const isRotated = async (bytes: Buffer) => ((await readImageHeader(bytes))?.orientation ?? 1) !== 1;

/** Reasons of images that are not in the folder. */
const outside: ReadonlySet<string> = new Set(['image-outside-folder', 'unsafe-path']);

const dataUri = (format: string, bytes: Buffer) => `data:image/${format};base64,${bytes.toString('base64')}`;
