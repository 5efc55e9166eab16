import { stat } from 'node:fs/promises';
import { RecordError, RelflowError } from '../../errors.js';
import { type ImageHeader, imageHeader, type PixelSize, pixelOrder } from '../../files/image-header.js';
import { type ImageSource, imageContent, imageName } from '../../files/image-stores/find-image-file.js';
import { decoderMessage, ImageError, openImage } from '../../files/open-image.js';
import type { RgbImage } from './resize.js';

/** Images with more pixels are rejected, to bound the memory. */
const MAX_PIXELS = 100_000_000;

/** Options of `readImage`. */
export interface ReadImageOptions {
  /**
   * The size of the image on which boxes were annotated. The pixels are then in the order in which they belong to these
   * boxes: upright, or as stored if only then the sizes are in proportion.
   */
  readonly annotated?: PixelSize;
  /** Ignores the EXIF orientation and compares no sizes, as the official loader does. Default false. */
  readonly compat?: boolean;
}

/**
 * Decodes an image file, or an image in a shard or store, to RGB, upright as its EXIF orientation asks for. Like the official loader, it ignores the color
 * profile.
 * @throws RecordError (`image-missing`, `image-unreadable`, or `image-size-differs` if the file is not in proportion to
 * the annotated size)
 *
 * @example
 * ```ts
 * import { readImage, resize, targetSize } from 'relflow/model';
 *
 * const image = await readImage('000001.jpg');
 * const small = resize(image, targetSize(image, 128, 160));
 * console.log(small.height, small.width, small.data.length);
 * ```
 */
export async function readImage(file: ImageSource, options: ReadImageOptions = {}): Promise<RgbImage> {
  const { annotated, compat = false } = options;
  const path = imageName(file);
  try {
    const { image, header } = await openImage(await imageContent(file), { maxPixels: MAX_PIXELS, ignoreIcc: true });
    const upright = !compat && (annotated === undefined || isUpright(path, imageHeader(header), annotated));
    const { data, info } = await (upright ? image.autoOrient() : image)
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const rgb = info.channels === 3 ? data : grayToRgb(data, info.channels);
    return { data: rgb, height: info.height, width: info.width };
  } catch (cause) {
    if (cause instanceof RelflowError && !(cause instanceof ImageError)) throw cause;
    // libvips shares its error text among threads, so that the message does not tell a missing file from a damaged one.
    const isMissing = typeof file === 'string' && (await stat(file).catch(() => null)) === null;
    const [reason, problem] = isMissing
      ? ['image-missing', 'no such file']
      : ['image-unreadable', decoderMessage(cause)];
    const message = cause instanceof ImageError ? `${path} ${problem}` : `${path}: ${problem}`;
    throw new RecordError(reason, message, { path }, { cause });
  }
}

/** Returns whether boxes annotated on an image of this size belong to the upright pixels, not to those as stored. */
function isUpright(path: string, header: ImageHeader, annotated: PixelSize): boolean {
  const order = pixelOrder(annotated, header);
  if (order !== null) return order === 'upright';
  const { upright } = header;
  const found = `${upright.width} x ${upright.height} pixels`;
  throw new RecordError(
    'image-size-differs',
    `${path}: the image has ${found}, expected the proportions of the annotations, ${annotated.width} x ${annotated.height}`,
    { path },
  );
}

/** Repeats the gray channel three times. */
function grayToRgb(data: Uint8Array, channels: number): Uint8Array {
  const result = new Uint8Array((data.length / channels) * 3);
  for (let k = 0; k < result.length; k++) result[k] = data[Math.floor(k / 3) * channels]!;
  return result;
}
