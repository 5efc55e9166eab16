import * as tf from '@tensorflow/tfjs-core';
import type { LevelSize } from './deformable-attention.js';

const round = Math.fround;
const TEMPERATURE = 10_000;

/** Divisor of the angle for a channel. Two neighboring channels share one: sine in the even one, cosine in the odd one. */
const divisor = (channel: number, half: number) => TEMPERATURE ** ((2 * Math.floor(channel / 2)) / half);

/**
 * Sine positional encoding of each cell of a level: the first half of the channels encodes the row, the second half the
 * column.
 *
 * @param level size of the level in cells
 * @param validSize number of rows and columns that the image covers; beyond them the position stays constant
 * @param width channels, a multiple of 4
 * @param shift added to each row and column number, which start at 1: 0 with a residual network, −½ with Swin
 * @returns `[height · width, width]` in row-major order
 *
 * Source: DETR, `PositionEmbeddingSine` with `normalize` and a scale of 2π.
 */
export function sinePositions(level: LevelSize, validSize: LevelSize, width: number, shift: number): Float32Array {
  const key = [level.height, level.width, validSize.height, validSize.width, width, shift].join();
  const cached = cache.get(key);
  if (cached) return cached;
  const positions = computePositions(level, validSize, width, shift);
  if (positions.length <= MAX_CACHED_NUMBERS) {
    if (cachedNumbers + positions.length > MAX_CACHED_NUMBERS) {
      cache.clear();
      cachedNumbers = 0;
    }
    cache.set(key, positions);
    cachedNumbers += positions.length;
  }
  return positions;
}

/** Most numbers in the cache. The same few level sizes occur in many batches. */
const MAX_CACHED_NUMBERS = 1 << 20;
const cache = new Map<string, Float32Array>();
let cachedNumbers = 0;

function computePositions(level: LevelSize, validSize: LevelSize, width: number, shift: number): Float32Array {
  const half = width / 2;
  const values = new Float32Array(level.height * level.width * width);
  const divisors = Array.from({ length: half }, (_, channel) => divisor(channel, half));
  // The last position of a column is 0 if the whole column is padding, and likewise for rows.
  const angle = (index: number, count: number, visible: boolean) => {
    const last = visible ? count : 0;
    // Rounded to float32 at each step: in padding the quotient may be in the millions, where rounding determines the angle.
    return round(round(round(Math.min(index + 1, last) + shift) / round(last + 1e-6)) * round(2 * Math.PI));
  };
  let to = 0;
  for (let row = 0; row < level.height; row++)
    for (let column = 0; column < level.width; column++) {
      const y = angle(row, validSize.height, column < validSize.width);
      const x = angle(column, validSize.width, row < validSize.height);
      for (const at of [y, x])
        for (let channel = 0; channel < half; channel++)
          values[to++] =
            channel % 2 === 0 ? Math.sin(round(at / divisors[channel]!)) : Math.cos(round(at / divisors[channel]!));
    }
  return values;
}

/**
 * Sine encoding of boxes: a quarter of the channels each for cy, cx, w and h, in this order.
 * @param boxes cx, cy, w and h in [0, 1], `[batch, boxes, 4]`
 * @param width channels of each of the four numbers, even
 * @returns `[batch, boxes, 4 · width]`
 *
 * Source: DAB-DETR, `gen_sineembed_for_position`.
 */
export function sineOfBoxes(boxes: tf.Tensor3D, width: number): tf.Tensor3D {
  const [batch, count] = boxes.shape;
  const [x, y, w, h] = tf.split(boxes, 4, 2) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  // Computes sine and cosine of every angle and selects one of them with masks, whose gradient is simple.
  const frequencies = Float32Array.from({ length: width }, (_, k) => (2 * Math.PI) / divisor(k, width));
  const even = tf.tensor1d(Float32Array.from({ length: width }, (_, k) => 1 - (k % 2)));
  const angles = tf.mul(tf.reshape(tf.concat([y, x, w, h], 2), [batch, count, 4, 1]), tf.tensor1d(frequencies)); // [batch, boxes, 4, width]
  const sines = tf.add(tf.mul(tf.sin(angles), even), tf.mul(tf.cos(angles), tf.sub(1, even)));
  return tf.reshape(sines, [batch, count, 4 * width]); // [batch, boxes, 4 · width]
}
