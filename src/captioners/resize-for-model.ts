import { OptionError, RecordError } from '../errors.js';
import type { Image } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { ImageFile } from './image-files.js';

/** How an image is made smaller before it is sent. */
export interface ResizeOptions {
  /** Longest side, in pixels; a larger image is scaled down to it. Default 512. */
  readonly side?: number;
  /** Quality of the JPEG that is sent, from 1 to 100. Default 85. */
  readonly quality?: number;
}

/** An image as it is sent. */
export interface SentImage {
  readonly bytes: Buffer;
  readonly mime: 'image/jpeg' | 'image/png';
}

/** Above this an image is decoded only to find out that it is a bomb. */
const MAX_PIXELS = 200e6;

/** @throws OptionError where an option is out of range */
export function checkResizeOptions(
  where: string,
  { side = 512, quality = 85 }: ResizeOptions,
): Required<ResizeOptions> {
  checkPositiveInteger(where, 'side', side);
  checkPositiveInteger(where, 'quality', quality);
  if (quality > 100) throw new OptionError(where, `quality ${quality}, expected a whole number from 1 to 100`);
  return { side, quality };
}

let library: Promise<typeof import('sharp')> | undefined;

/**
 * The image as it is sent: the right way up, without its metadata, and no larger than `side`. A JPEG or PNG that is small
 * enough and upright goes as it is.
 * @throws RecordError `malformed-image-file` where it can't be decoded
 */
export async function resizeForModel(
  where: string,
  { bytes }: ImageFile,
  image: Image,
  options: Required<ResizeOptions>,
): Promise<SentImage> {
  const { side, quality } = options;
  library ??= import('sharp');
  const { default: sharp } = await library;
  try {
    const source = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error' });
    const { format, width, height, orientation = 1 } = await source.metadata();
    if ((format === 'jpeg' || format === 'png') && orientation === 1 && Math.max(width, height) <= side) {
      return { bytes, mime: `image/${format}` };
    }
    const smaller = source
      .autoOrient()
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .jpeg({ quality });
    return { bytes: await smaller.toBuffer(), mime: 'image/jpeg' };
  } catch (error) {
    throw new RecordError(
      'malformed-image-file',
      `${where}: image ${image.id}: ${image.file} can't be decoded: ${(error as Error).message}`,
      { image: image.id },
    );
  }
}
