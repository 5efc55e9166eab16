import sharp from 'sharp';
import { RecordError } from '../../errors.js';
import type { RgbImage } from './resize.js';

/** An image of more pixels is refused: what it would take of memory is nobody's photograph. */
const MAX_PIXELS = 100_000_000;

/**
 * Decodes an image file as it is stored: not turned by its EXIF tag, its colours not moved by its profile, as the official
 * loader has it.
 * @throws RecordError (`image-missing`, `image-unreadable`)
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
    const missing = /missing|ENOENT/.test((cause as Error).message);
    const reason = missing ? 'image-missing' : 'image-unreadable';
    throw new RecordError(reason, `${path}: ${(cause as Error).message}`, { path }, { cause });
  }
}

/** Grey becomes three channels. */
function grayToRgb(data: Uint8Array, channels: number): Uint8Array {
  const result = new Uint8Array((data.length / channels) * 3);
  for (let k = 0; k < result.length; k++) result[k] = data[Math.floor(k / 3) * channels]!;
  return result;
}
