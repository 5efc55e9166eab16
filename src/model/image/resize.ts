import type { LevelSize } from '../ops/deformable-attention.js';
import { withResizeKernel } from './resize-kernel.js';

/** RGB image with 8 bits per channel. `data` is `[height, width, 3]` in row-major order. */
export interface RgbImage extends LevelSize {
  readonly data: Uint8Array;
}

/** Rounds half to even, as Python's `round` does. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/**
 * Computes the size to which an image is resized, which keeps its aspect ratio: the shorter side gets the length `shorter`,
 * unless the longer side would exceed `longest`.
 * @param shorter length of the shorter side in pixels, default 800
 * @param longest limit of the longer side in pixels, default 1333
 * @returns height and width in pixels; the longer side may exceed `longest` by one pixel, as in the official code
 *
 * Source: DETR, datasets/transforms.py, `get_size_with_aspect_ratio`.
 */
export function targetSize({ height, width }: LevelSize, shorter = 800, longest = 1333): LevelSize {
  const [short, long] = [Math.min(height, width), Math.max(height, width)];
  const side = (long / short) * shorter > longest ? roundHalfEven((longest * short) / long) : shorter;
  if (short === side) return { height, width };
  return width < height
    ? { height: Math.trunc((side * height) / width), width: side }
    : { height: side, width: Math.trunc((side * width) / height) };
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
