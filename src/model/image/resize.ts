import type { LevelSize } from '../ops/deformable-attention.js';
import { withResizeKernel } from './resize-kernel.js';

/** Pixels of 8 bits a channel, row by row, three channels each. */
export interface RgbImage extends LevelSize {
  readonly data: Uint8Array;
}

/** Half to even, as Python rounds. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/**
 * The size to which an image is brought: its shorter side `shorter`, unless the longer one would pass `longest`.
 * @returns height and width; the longer side may pass `longest` by one, as it does officially
 *
 * Source: DETR, datasets/transforms.py, `get_size_with_aspect_ratio`.
 */
export function targetSize({ height, width }: LevelSize, shorter = 800, longest = 1333): LevelSize {
  const [least, most] = [Math.min(height, width), Math.max(height, width)];
  const side = (most / least) * shorter > longest ? roundHalfEven((longest * least) / most) : shorter;
  if (least === side) return { height, width };
  return width < height
    ? { height: Math.trunc((side * height) / width), width: side }
    : { height: side, width: Math.trunc((side * width) / height) };
}

/**
 * Resizes with an antialiased bilinear filter in integers, to the very bytes that Pillow's `resize(…, BILINEAR)` gives:
 * first along the rows, rounded to 8 bits, then along the columns.
 *
 * Source: Pillow, src/libImaging/Resample.c.
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

/** Of each of the 256 values that a pixel can have, by channel. */
const tableOf = (channel: 0 | 1 | 2): Float32Array =>
  Float32Array.from({ length: 256 }, (_, value) => (value / 255 - MEAN[channel]) / DEVIATION[channel]);
const NORMALIZED = [tableOf(0), tableOf(1), tableOf(2)] as const;

/** @returns pixels as the backbone takes them, `[height, width, 3]` row by row */
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
