import type { RgbImage } from '../../model/image/resize.js';
import type { Random } from '../../records/random.js';
import { randomInteger } from './random-stream.js';

/** Changes brightness, contrast and saturation in random order, each by a factor in [1 − strength, 1 + strength]. */
export function colorJitter(random: Random, image: RgbImage, strength: number): RgbImage {
  if (strength === 0) return image;
  const factor = () => 1 + strength * (2 * random.next() - 1);
  const [brightness, contrast, saturation] = [factor(), factor(), factor()];
  const steps = [
    (pixels: Uint8Array) => blend(pixels, 0, brightness),
    (pixels: Uint8Array) => blend(pixels, meanGray(pixels), contrast),
    (pixels: Uint8Array) => blendWithGray(pixels, saturation),
  ];
  const pixels = new Uint8Array(image.data);
  while (steps.length > 0) steps.splice(randomInteger(random, steps.length), 1)[0]!(pixels);
  return { data: pixels, width: image.width, height: image.height };
}

/** Returns a pixel's luma by ITU-R 601-2, rounded as Pillow does. */
const gray = (red: number, green: number, blue: number): number =>
  (0.299 * red + 0.587 * green + 0.114 * blue + 0.5) | 0;

function meanGray(pixels: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < pixels.length; at += 3) sum += gray(pixels[at]!, pixels[at + 1]!, pixels[at + 2]!);
  return Math.floor(sum / (pixels.length / 3) + 0.5);
}

/** Moves each value between `from` (factor 0) and itself (factor 1), or further. */
function blend(pixels: Uint8Array, from: number, factor: number): void {
  const table = new Uint8Array(256);
  const clamped = new Uint8ClampedArray(table.buffer);
  for (let value = 0; value < 256; value++) clamped[value] = from + factor * (value - from);
  for (let at = 0; at < pixels.length; at++) pixels[at] = table[pixels[at]!]!;
}

/** Blends each pixel with its own gray. The clamped array rounds half to even and clips to [0, 255]. */
function blendWithGray(pixels: Uint8Array, factor: number): void {
  const clamped = new Uint8ClampedArray(pixels.buffer);
  for (let at = 0; at < clamped.length; at += 3) {
    const red = clamped[at]!;
    const green = clamped[at + 1]!;
    const blue = clamped[at + 2]!;
    const from = gray(red, green, blue);
    clamped[at] = from + factor * (red - from);
    clamped[at + 1] = from + factor * (green - from);
    clamped[at + 2] = from + factor * (blue - from);
  }
}
