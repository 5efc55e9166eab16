import type { LevelSize } from '../ops/deformable-attention.js';
import { withResizeKernel } from './resize-kernel.js';

/** RGB image with 8 bits per channel. `data` is `[height, width, 3]` in row-major order. */
export interface RgbImage extends LevelSize {
  readonly data: Uint8Array;
}

/**
 * Resizes an image with an antialiased bilinear filter in integer arithmetic. The result has the same bytes as Pillow's
 * `resize(…, BILINEAR)`: rows are resized first and rounded to 8 bits, then columns.
 *
 * Source: Pillow, src/libImaging/Resample.c.
 *
 * @example
 * ```ts
 * import { normalize, readImage, resize, targetSize } from 'relflow/model';
 *
 * const image = await readImage('000001.jpg');
 * const pixels = normalize(resize(image, targetSize(image)));
 * console.log(pixels.length);
 * ```
 */
export function resize(image: RgbImage, { height, width }: LevelSize): RgbImage {
  if (width === image.width && height === image.height) return image;
  const data = withResizeKernel((kernel) => {
    const wide = width === image.width ? image.data : kernel.alongRows(image.data, image.height, image.width, width);
    return height === image.height ? wide : kernel.alongColumns(wide, image.height, width, height);
  });
  return { data, height, width };
}

const MEAN = [0.485, 0.456, 0.406] as const;
const DEVIATION = [0.229, 0.224, 0.225] as const;

/** Normalized value of each of the 256 possible values of a channel. */
const tableOf = (channel: 0 | 1 | 2): Float32Array =>
  Float32Array.from({ length: 256 }, (_, value) => (value / 255 - MEAN[channel]) / DEVIATION[channel]);
const NORMALIZED = [tableOf(0), tableOf(1), tableOf(2)] as const;

/**
 * Normalizes pixels with the mean and standard deviation of ImageNet, as the backbones expect them.
 * @returns `[height, width, 3]` in row-major order
 *
 * Source: torchvision, `Normalize` with the constants of its pretrained models.
 */
export function normalize({ data }: RgbImage): Float32Array {
  const result = new Float32Array(data.length);
  const [red, green, blue] = NORMALIZED;
  for (let k = 0; k < data.length; k += 3) {
    result[k] = red[data[k]!]!;
    result[k + 1] = green[data[k + 1]!]!;
    result[k + 2] = blue[data[k + 2]!]!;
  }
  return result;
}
