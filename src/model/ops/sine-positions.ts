import * as tf from '@tensorflow/tfjs-core';
import type { LevelSize } from './deformable-attention.js';

const round = Math.fround;
const TEMPERATURE = 10_000;

/** Channel pairs share a frequency: sine in the even one, cosine in the odd one. */
const divisor = (channel: number, half: number) => TEMPERATURE ** ((2 * Math.floor(channel / 2)) / half);

/**
 * Sine position of each cell of a level: the first half of the channels tells the row, the second half the column.
 *
 * @param level its size in cells
 * @param filled how many of them the image fills; behind them the count stands still
 * @param width channels, a multiple of 4
 * @param shift added to each count: 0 with a residual network, −½ with Swin
 * @returns `[height · width, width]`
 *
 * Source: DETR, `PositionEmbeddingSine`, normalised, with a scale of 2π.
 */
export function sinePositions(level: LevelSize, filled: LevelSize, width: number, shift: number): Float32Array {
  const key = [level.height, level.width, filled.height, filled.width, width, shift].join();
  const known = cache.get(key);
  if (known) return known;
  const made = computePositions(level, filled, width, shift);
  if (made.length <= MAX_CACHED_NUMBERS) {
    if (cachedNumbers + made.length > MAX_CACHED_NUMBERS) {
      cache.clear();
      cachedNumbers = 0;
    }
    cache.set(key, made);
    cachedNumbers += made.length;
  }
  return made;
}

/** Levels of a few sizes come again with every image or batch; so many numbers of theirs are kept. */
const MAX_CACHED_NUMBERS = 1 << 20;
const cache = new Map<string, Float32Array>();
let cachedNumbers = 0;

function computePositions(level: LevelSize, filled: LevelSize, width: number, shift: number): Float32Array {
  const half = width / 2;
  const values = new Float32Array(level.height * level.width * width);
  const divisors = Array.from({ length: half }, (_, channel) => divisor(channel, half));
  // What a column's count ends with is 0 where the column is padding from top to bottom; so with rows.
  const angle = (index: number, count: number, visible: boolean) => {
    const last = visible ? count : 0;
    // Rounded step by step: behind an image the quotient may be in the millions, and what is left of the angle is rounding.
    return round(round(round(Math.min(index + 1, last) + shift) / round(last + 1e-6)) * round(2 * Math.PI));
  };
  let to = 0;
  for (let row = 0; row < level.height; row++)
    for (let column = 0; column < level.width; column++) {
      const y = angle(row, filled.height, column < filled.width);
      const x = angle(column, filled.width, row < filled.height);
      for (const at of [y, x])
        for (let channel = 0; channel < half; channel++)
          values[to++] =
            channel % 2 === 0 ? Math.sin(round(at / divisors[channel]!)) : Math.cos(round(at / divisors[channel]!));
    }
  return values;
}

/**
 * Sine position of boxes: a quarter of the channels each for y, x, w and h, in this order.
 * @param boxes `[batch, boxes, 4]`, cx, cy, w and h in [0, 1]
 * @param width channels of each number, even
 * @returns `[batch, boxes, 4 · width]`
 *
 * Source: DAB-DETR, `gen_sineembed_for_position`.
 */
export function sineOfBoxes(boxes: tf.Tensor3D, width: number): tf.Tensor3D {
  const [batch, count] = boxes.shape;
  const [x, y, w, h] = tf.split(boxes, 4, 2) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  // Each angle twice, once for its sine and once for its cosine: no gradient has to take them apart.
  const frequencies = Float32Array.from({ length: width }, (_, k) => (2 * Math.PI) / divisor(k, width));
  const even = tf.tensor1d(Float32Array.from({ length: width }, (_, k) => 1 - (k % 2)));
  const angles = tf.mul(tf.reshape(tf.concat([y, x, w, h], 2), [batch, count, 4, 1]), tf.tensor1d(frequencies));
  const sines = tf.add(tf.mul(tf.sin(angles), even), tf.mul(tf.cos(angles), tf.sub(1, even)));
  return tf.reshape(sines, [batch, count, 4 * width]);
}
