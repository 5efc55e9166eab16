import { encodeJpeg } from './encode-jpeg.js';
import type { PixelSize } from './image-header.js';
import { readImagePart } from './image-part.js';
import type { ImageSource } from './image-stores/find-image-file.js';

/**
 * Returns a whole image as a JPEG, upright or as stored as its boxes are.
 * @param annotated the size of the image as its boxes know it
 * @param scale multiplies this size; above 1, the size stays
 * @param quality of the JPEG, from 1 to 100
 * @throws as `readImagePart`
 */
export async function scaledJpeg(
  source: ImageSource,
  annotated: PixelSize,
  scale: number,
  quality?: number,
): Promise<Buffer> {
  const { width, height } = annotated;
  const scaled = (side: number) => Math.max(1, Math.round(side * Math.min(1, scale)));
  const size = { width: scaled(width), height: scaled(height) };
  const { data } = await readImagePart(source, annotated, { left: 0, top: 0, right: width, bottom: height, size });
  return encodeJpeg(data, size, quality);
}
