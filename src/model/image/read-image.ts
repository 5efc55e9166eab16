import { stat } from 'node:fs/promises';
import sharp from 'sharp';
import { RecordError } from '../../errors.js';
import type { RgbImage } from './resize.js';

/** Images with more pixels are rejected, to bound the memory. */
const MAX_PIXELS = 100_000_000;

/**
 * Decodes an image file to RGB. Like the official loader, it ignores the EXIF orientation and the color profile.
 * @throws RecordError (`image-missing`, `image-unreadable`)
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
export async function readImage(path: string): Promise<RgbImage> {
  try {
    const { data, info } = await sharp(path, { limitInputPixels: MAX_PIXELS, ignoreIcc: true })
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const rgb = info.channels === 3 ? data : grayToRgb(data, info.channels);
    return { data: rgb, height: info.height, width: info.width };
  } catch (cause) {
    // libvips shares its error text among threads, so that the message does not tell a missing file from a damaged one.
    const isMissing = (await stat(path).catch(() => null)) === null;
    const [reason, problem] = isMissing
      ? ['image-missing', 'no such file']
      : ['image-unreadable', (cause as Error).message];
    throw new RecordError(reason, `${path}: ${problem}`, { path }, { cause });
  }
}

/** Repeats the gray channel three times. */
function grayToRgb(data: Uint8Array, channels: number): Uint8Array {
  const result = new Uint8Array((data.length / channels) * 3);
  for (let k = 0; k < result.length; k++) result[k] = data[Math.floor(k / 3) * channels]!;
  return result;
}
