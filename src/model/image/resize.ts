import type { LevelSize } from '../ops/deformable-attention.js';

/** Pixels of 8 bits a channel, row by row, three channels each. */
export interface RgbImage extends LevelSize {
  readonly data: Uint8Array;
}

/** Bits behind the point of a weight. */
const PRECISION = 22;

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

/** What one output cell is made of: the first input cell and integer weights. */
interface Window {
  readonly first: number;
  readonly weights: Int32Array;
}

/** Images of a data set have few sizes; the windows of the last ones are kept. */
const MOST_KEPT = 64;
const kept = new Map<string, readonly Window[]>();

function windows(from: number, to: number): readonly Window[] {
  const key = `${from} ${to}`;
  const known = kept.get(key);
  if (known) return known;
  if (kept.size >= MOST_KEPT) kept.clear();
  const made = computedWindows(from, to);
  kept.set(key, made);
  return made;
}

function computedWindows(from: number, to: number): Window[] {
  const scale = from / to;
  // Where an image becomes smaller the filter becomes wider, so that nothing is skipped.
  const spread = Math.max(scale, 1);
  return Array.from({ length: to }, (_, cell) => {
    const centre = (cell + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - spread + 0.5));
    const end = Math.min(from, Math.trunc(centre + spread + 0.5));
    const triangle = Array.from({ length: end - first }, (_unused, k) =>
      Math.max(0, 1 - Math.abs((k + first - centre + 0.5) * (1 / spread))),
    );
    const sum = triangle.reduce((all, weight) => all + weight, 0);
    return {
      first,
      weights: Int32Array.from(triangle, (weight) => Math.trunc(0.5 + (weight / sum) * (1 << PRECISION))),
    };
  });
}

/**
 * Resizes with an antialiased bilinear filter in integers, to the very bytes that Pillow's `resize(…, BILINEAR)` gives:
 * first along the rows, rounded to 8 bits, then along the columns.
 *
 * Source: Pillow, src/libImaging/Resample.c.
 */
export function resize(image: RgbImage, { height, width }: LevelSize): RgbImage {
  const wide = width === image.width ? image : alongRows(image, width);
  return height === image.height ? wide : alongColumns(wide, height);
}

function alongRows({ data, height, width }: RgbImage, to: number): RgbImage {
  const result = new Uint8Array(height * to * 3);
  const cells = windows(width, to);
  let at = 0;
  for (let row = 0; row < height; row++)
    for (const { first, weights } of cells) {
      let red = 1 << (PRECISION - 1);
      let [green, blue] = [red, red];
      let from = (row * width + first) * 3;
      for (let k = 0; k < weights.length; k++, from += 3) {
        const weight = weights[k]!;
        red += data[from]! * weight;
        green += data[from + 1]! * weight;
        blue += data[from + 2]! * weight;
      }
      result[at++] = clip(red);
      result[at++] = clip(green);
      result[at++] = clip(blue);
    }
  return { data: result, height, width: to };
}

function alongColumns({ data, height, width }: RgbImage, to: number): RgbImage {
  const result = new Uint8Array(to * width * 3);
  const stride = 3 * width;
  const sums = new Int32Array(stride);
  for (const [row, { first, weights }] of windows(height, to).entries()) {
    sums.fill(1 << (PRECISION - 1));
    for (let k = 0; k < weights.length; k++) {
      const from = (first + k) * stride;
      const weight = weights[k]!;
      for (let x = 0; x < stride; x++) sums[x]! += data[from + x]! * weight;
    }
    for (let x = 0; x < stride; x++) result[row * stride + x] = clip(sums[x]!);
  }
  return { data: result, height: to, width };
}

const clip = (sum: number): number => Math.min(255, Math.max(0, sum >> PRECISION));

const MEAN = [0.485, 0.456, 0.406] as const;
const DEVIATION = [0.229, 0.224, 0.225] as const;

/** Of each of the 256 values that a pixel can have, by channel. */
const tableOf = (channel: 0 | 1 | 2): Float32Array =>
  Float32Array.from({ length: 256 }, (_, value) => (value / 255 - MEAN[channel]) / DEVIATION[channel]);
const NORMAL = [tableOf(0), tableOf(1), tableOf(2)] as const;

/** @returns pixels as the backbone takes them, `[height, width, 3]` row by row */
export function normalize({ data }: RgbImage): Float32Array {
  const result = new Float32Array(data.length);
  const [red, green, blue] = NORMAL;
  for (let k = 0; k < data.length; k += 3) {
    result[k] = red[data[k]!]!;
    result[k + 1] = green[data[k + 1]!]!;
    result[k + 2] = blue[data[k + 2]!]!;
  }
  return result;
}
