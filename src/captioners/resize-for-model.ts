import { OptionError, RecordError } from '../errors.js';
import { imageHeader, pixelOrder } from '../files/image-header.js';
import { type ImagePart, partInPixels } from '../files/image-part.js';
import { decoderMessage, ImageError, openImage } from '../files/open-image.js';
import type { Image } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { ImageFile } from './image-files.js';

/** Options of the image that is sent to a model. */
export interface ResizeOptions {
  /** The maximum length of the longer side in pixels; larger images are scaled down. Default 512. */
  readonly side?: number;
  /** The quality of the JPEG, from 1 to 100. Default 85. */
  readonly quality?: number;
}

/** The image that is sent to a model. */
export interface SentImage {
  readonly bytes: Buffer;
  readonly mime: 'image/jpeg' | 'image/png';
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** A part of an image, in pixels of its annotated size. */
export type Crop = Omit<ImagePart, 'size'>;

/** Returns an image as the URL of a chat message. */
export const dataUrl = ({ bytes, mime }: SentImage): string => `data:${mime};base64,${bytes.toString('base64')}`;

/** The maximum number of pixels that are decoded, as a protection against decompression bombs. */
const MAX_PIXELS = 200e6;

/**
 * Checks the options and fills in the defaults.
 * @throws OptionError if an option is out of range
 */
export function checkResizeOptions(
  where: string,
  { side = 512, quality = 85 }: ResizeOptions,
): Required<ResizeOptions> {
  checkPositiveInteger(where, 'side', side);
  checkPositiveInteger(where, 'quality', quality);
  if (quality > 100) throw new OptionError(where, `quality ${quality}, expected a whole number from 1 to 100`);
  return { side, quality };
}

/**
 * Returns the image to send: rotated upright, without metadata and not larger than `side`, as a JPEG. An upright JPEG
 * or PNG that is small enough is returned unchanged. If only the pixels as stored have the annotated proportions, they
 * are not rotated, so that captioners and taggers read the same picture.
 * @param crop the part to send. Default: the whole image
 * @throws RecordError `malformed-image-file` if the image cannot be decoded
 */
export async function resizeForModel(
  where: string,
  { bytes }: ImageFile,
  image: Image,
  options: Required<ResizeOptions>,
  crop?: Crop,
): Promise<SentImage> {
  const { side, quality } = options;
  try {
    const { image: source, header } = await openImage(bytes, { maxPixels: MAX_PIXELS, failOn: 'error' });
    const { format, width, height, orientation = 1 } = header;
    const isSentAsStored =
      (format === 'jpeg' || format === 'png') && orientation === 1 && Math.max(width, height) <= side;
    if (isSentAsStored && !crop) return { bytes, mime: `image/${format}`, width, height };
    const found = imageHeader({ width, height, orientation });
    const order = pixelOrder(image, found) ?? 'upright';
    const turned = order === 'stored' ? source : source.autoOrient();
    const smaller = (crop ? turned.extract(partInPixels(crop, image, found[order])) : turned)
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .jpeg({ quality });
    const { data, info } = await smaller.toBuffer({ resolveWithObject: true });
    return { bytes: data, mime: 'image/jpeg', width: info.width, height: info.height };
  } catch (error) {
    const problem = error instanceof ImageError ? error.message : `cannot be decoded: ${decoderMessage(error)}`;
    throw new RecordError('malformed-image-file', `${where}: image ${image.id}: ${image.file} ${problem}`, {
      image: image.id,
    });
  }
}
