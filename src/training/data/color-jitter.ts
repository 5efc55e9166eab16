import type { RgbImage } from '../../model/image/resize.js';
import type { Random } from '../../records/random.js';
import { randomInteger } from './random-stream.js';

/** Brightness, contrast and saturation, in random order; each by a factor in [1 − share, 1 + share]. */
export function colorJitter(random: Random, image: RgbImage, share: number): RgbImage {
  if (share === 0) return image;
  const factor = () => 1 + share * (2 * random.next() - 1);
  const [brightness, contrast, saturation] = [factor(), factor(), factor()];
  const steps = [
    (pixels: Uint8Array) => apart(pixels, 0, brightness),
    (pixels: Uint8Array) => apart(pixels, meanGrey(pixels), contrast),
    (pixels: Uint8Array) => apartFromGrey(pixels, saturation),
  ];
  const pixels = new Uint8Array(image.data);
  while (steps.length > 0) steps.splice(randomInteger(random, steps.length), 1)[0]!(pixels);
  return { data: pixels, width: image.width, height: image.height };
}

/** Of a pixel, the luma of ITU-R 601-2, as Pillow has it. */
const grey = (red: number, green: number, blue: number): number =>
  (0.299 * red + 0.587 * green + 0.114 * blue + 0.5) | 0;

function meanGrey(pixels: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < pixels.length; at += 3) sum += grey(pixels[at]!, pixels[at + 1]!, pixels[at + 2]!);
  return Math.floor(sum / (pixels.length / 3) + 0.5);
}

/** Each number between `from` (at factor 0) and itself (at factor 1), or beyond. */
function apart(pixels: Uint8Array, from: number, factor: number): void {
  const table = new Uint8Array(256);
  const clamped = new Uint8ClampedArray(table.buffer);
  for (let value = 0; value < 256; value++) clamped[value] = from + factor * (value - from);
  for (let at = 0; at < pixels.length; at++) pixels[at] = table[pixels[at]!]!;
}

/** The same from each pixel's own grey. What is stored is rounded, half to even, and kept within a byte. */
function apartFromGrey(pixels: Uint8Array, factor: number): void {
  const clamped = new Uint8ClampedArray(pixels.buffer);
  for (let at = 0; at < clamped.length; at += 3) {
    const red = clamped[at]!;
    const green = clamped[at + 1]!;
    const blue = clamped[at + 2]!;
    const from = grey(red, green, blue);
    clamped[at] = from + factor * (red - from);
    clamped[at + 1] = from + factor * (green - from);
    clamped[at + 2] = from + factor * (blue - from);
  }
}
