import { RecordError, RelflowError } from '../errors.js';
import { imageHeader, type PixelSize, pixelOrder } from './image-header.js';
import { type ImageSource, imageContent, imageName } from './image-stores/find-image-file.js';
import { decoderMessage, ImageError, openImage } from './open-image.js';

/** RGB pixels, `[height, width, 3]`. */
export interface Pixels extends PixelSize {
  readonly data: Uint8Array;
}

/** The part of an image to read, in pixels of the annotated size, and the size that it gets. */
export interface ImagePart {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly size: PixelSize;
}

/** The maximum number of pixels that are decoded, as a protection against decompression bombs. */
const MAX_PIXELS = 100e6;

/**
 * Reads a part of an image for people to look at. The file may be larger or smaller than the annotated size, in the same
 * proportions, upright or as stored.
 * @throws RecordError `image-unreadable` if the file cannot be decoded
 */
export async function readImagePart(
  source: ImageSource,
  annotated: PixelSize,
  { left, top, right, bottom, size }: ImagePart,
): Promise<Pixels> {
  try {
    const { image, header } = await openImage(await imageContent(source), { maxPixels: MAX_PIXELS });
    const found = imageHeader(header);
    const isStored = pixelOrder(annotated, found) === 'stored';
    const part = partInPixels({ left, top, right, bottom }, annotated, isStored ? found.stored : found.upright);
    const { data } = await (isStored ? image : image.autoOrient())
      .extract(part)
      .resize({ ...size, fit: 'fill' })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { data: data.length === 3 * size.width * size.height ? data : threeChannels(data, size), ...size };
  } catch (cause) {
    if (cause instanceof RelflowError && !(cause instanceof ImageError)) throw cause;
    const path = imageName(source);
    const problem = cause instanceof ImageError ? cause.message : decoderMessage(cause);
    throw new RecordError('image-unreadable', `${path}: ${problem}`, { path }, { cause });
  }
}

/** Repeats the first channel, of a gray image, three times. */
function threeChannels(data: Uint8Array, { width, height }: PixelSize): Uint8Array {
  const channels = data.length / (width * height);
  return Uint8Array.from({ length: 3 * width * height }, (_, k) => data[Math.floor(k / 3) * channels]!);
}

/** Returns a part of an image of an annotated size in whole pixels of the file, at least one. */
export function partInPixels(
  { left, top, right, bottom }: Omit<ImagePart, 'size'>,
  annotated: PixelSize,
  { width, height }: PixelSize,
): { left: number; top: number; width: number; height: number } {
  const [fx, fy] = [width / annotated.width, height / annotated.height];
  const x = Math.min(Math.max(0, Math.floor(left * fx)), width - 1);
  const y = Math.min(Math.max(0, Math.floor(top * fy)), height - 1);
  return {
    left: x,
    top: y,
    width: Math.min(width, Math.max(x + 1, Math.round(right * fx))) - x,
    height: Math.min(height, Math.max(y + 1, Math.round(bottom * fy))) - y,
  };
}
