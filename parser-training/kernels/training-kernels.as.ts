// AssemblyScript, not TypeScript: `npm run build:kernels` compiles it to training-kernels.wasm. Arrays are addresses of f32
// values; lengths are multiples of 4.

import { adamW } from '../../src/model/backends/kernels/adam-w.as';
import { exp4 } from '../../src/parser/neural/kernels/exp4.as';

const one: v128 = f32x4.splat(1);
const half: v128 = f32x4.splat(0.5);
const zero: v128 = f32x4.splat(0);

// @ts-ignore: decorator
@inline
function sum4(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/** Returns 1 / (1 + e^-x). */
// @ts-ignore: decorator
@inline
function logistic(x: v128): v128 {
  const e = exp4(f32x4.neg(f32x4.abs(x)));
  const above = f32x4.div(one, f32x4.add(one, e));
  return v128.bitselect(above, f32x4.sub(one, above), f32x4.ge(x, zero));
}

const root: f32 = 1.5957691216;
const cube: f32 = 0.044715;

/** y = x s(1.596 (x + 0.0447 x³)) with the logistic function s: GELU in its tanh approximation. */
export function gelu(x: usize, y: usize, length: i32): void {
  const end = x + ((<usize>length) << 2);
  for (; x < end; x += 16, y += 16) {
    const v = v128.load(x);
    const inner = f32x4.mul(f32x4.mul(f32x4.splat(root), v), f32x4.add(one, f32x4.mul(f32x4.splat(cube), f32x4.mul(v, v))));
    v128.store(y, f32x4.mul(v, logistic(inner)));
  }
}

/** dx = dy · the derivative of `gelu` at x; dx may be dy. */
export function geluBackward(x: usize, dy: usize, dx: usize, length: i32): void {
  const end = x + ((<usize>length) << 2);
  for (; x < end; x += 16, dy += 16, dx += 16) {
    const v = v128.load(x);
    const squares = f32x4.mul(f32x4.splat(cube), f32x4.mul(v, v));
    const s = logistic(f32x4.mul(f32x4.mul(f32x4.splat(root), v), f32x4.add(one, squares)));
    const slope = f32x4.mul(f32x4.splat(root), f32x4.add(one, f32x4.mul(f32x4.splat(3), squares)));
    const d = f32x4.add(s, f32x4.mul(f32x4.mul(v, f32x4.mul(s, f32x4.sub(one, s))), slope));
    v128.store(dx, f32x4.mul(v128.load(dy), d));
  }
}

/**
 * Layer normalization: y = gain (x - mean) / deviation + bias, row by row.
 * @param normal `[rows, width]`: set to (x - mean) / deviation; inverse `[rows]`: set to 1 / deviation
 */
export function normalize(
  rows: i32,
  width: i32,
  x: usize,
  gain: usize,
  bias: usize,
  epsilon: f32,
  y: usize,
  normal: usize,
  inverse: usize,
): void {
  const bytes = (<usize>width) << 2;
  for (let n = 0; n < rows; n++, x += bytes, y += bytes, normal += bytes, inverse += 4) {
    let sum = zero;
    for (let k: usize = 0; k < bytes; k += 16) sum = f32x4.add(sum, v128.load(x + k));
    const mean = f32x4.splat(sum4(sum) / <f32>width);
    let squares = zero;
    for (let k: usize = 0; k < bytes; k += 16) {
      const d = f32x4.sub(v128.load(x + k), mean);
      squares = f32x4.add(squares, f32x4.mul(d, d));
    }
    const factor: f32 = <f32>1 / Mathf.sqrt(sum4(squares) / <f32>width + epsilon);
    store<f32>(inverse, factor);
    const f = f32x4.splat(factor);
    for (let k: usize = 0; k < bytes; k += 16) {
      const value = f32x4.mul(f32x4.sub(v128.load(x + k), mean), f);
      v128.store(normal + k, value);
      v128.store(y + k, f32x4.add(f32x4.mul(value, v128.load(gain + k)), v128.load(bias + k)));
    }
  }
}

/** The backward pass of `normalize`: sets dx, which may be dy, and adds to dgain and dbias. */
export function normalizeBackward(
  rows: i32,
  width: i32,
  normal: usize,
  inverse: usize,
  gain: usize,
  dy: usize,
  dx: usize,
  dgain: usize,
  dbias: usize,
): void {
  const bytes = (<usize>width) << 2;
  for (let n = 0; n < rows; n++, normal += bytes, inverse += 4, dy += bytes, dx += bytes) {
    let sum = zero;
    let product = zero;
    for (let k: usize = 0; k < bytes; k += 16) {
      const d = v128.load(dy + k);
      const value = v128.load(normal + k);
      v128.store(dgain + k, f32x4.add(v128.load(dgain + k), f32x4.mul(d, value)));
      v128.store(dbias + k, f32x4.add(v128.load(dbias + k), d));
      const g = f32x4.mul(d, v128.load(gain + k));
      sum = f32x4.add(sum, g);
      product = f32x4.add(product, f32x4.mul(g, value));
    }
    const mean = f32x4.splat(sum4(sum) / <f32>width);
    const slope = f32x4.splat(sum4(product) / <f32>width);
    const f = f32x4.splat(load<f32>(inverse));
    for (let k: usize = 0; k < bytes; k += 16) {
      const g = f32x4.mul(v128.load(dy + k), v128.load(gain + k));
      const rest = f32x4.add(mean, f32x4.mul(v128.load(normal + k), slope));
      v128.store(dx + k, f32x4.mul(f, f32x4.sub(g, rest)));
    }
  }
}

// @ts-ignore: decorator
@inline
function dot(a: usize, b: usize, bytes: usize): f32 {
  let sum = zero;
  for (let k: usize = 0; k < bytes; k += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(a + k), v128.load(b + k)));
  return sum4(sum);
}

/**
 * Multi-head self-attention of one sequence.
 * @param qkv `[length, 3 heads width]`; weights `[heads, length, length]`: set to the attention weights
 * @param y `[length, heads width]`
 */
export function attend(length: i32, heads: i32, width: i32, qkv: usize, weights: usize, y: usize): void {
  const bytes = (<usize>width) << 2;
  const row = bytes * <usize>heads;
  const scale = f32x4.splat(<f32>1 / Mathf.sqrt(<f32>width));
  const factor = f32x4.extract_lane(scale, 0);
  for (let h = 0; h < heads; h++) {
    const q = qkv + <usize>h * bytes;
    for (let i = 0; i < length; i++, weights += (<usize>length) << 2) {
      const query = q + <usize>i * 3 * row;
      let largest: f32 = -Infinity;
      for (let j = 0; j < length; j++) {
        const score = factor * dot(query, q + <usize>j * 3 * row + row, bytes);
        store<f32>(weights + ((<usize>j) << 2), score);
        largest = max(largest, score);
      }
      let sum: f32 = 0;
      for (let j = 0; j < length; j++) {
        const at = weights + ((<usize>j) << 2);
        const e = f32x4.extract_lane(exp4(f32x4.splat(load<f32>(at) - largest)), 0);
        store<f32>(at, e);
        sum += e;
      }
      const to = y + <usize>i * row + <usize>h * bytes;
      for (let k: usize = 0; k < bytes; k += 16) v128.store(to + k, zero);
      for (let j = 0; j < length; j++) {
        const at = weights + ((<usize>j) << 2);
        const p = load<f32>(at) / sum;
        store<f32>(at, p);
        const value = q + <usize>j * 3 * row + 2 * row;
        for (let k: usize = 0; k < bytes; k += 16)
          v128.store(to + k, f32x4.add(v128.load(to + k), f32x4.mul(f32x4.splat(p), v128.load(value + k))));
      }
    }
  }
}

/** The backward pass of `attend`: adds to dqkv. @param scratch `[length]` */
export function attendBackward(
  length: i32,
  heads: i32,
  width: i32,
  qkv: usize,
  weights: usize,
  dy: usize,
  dqkv: usize,
  scratch: usize,
): void {
  const bytes = (<usize>width) << 2;
  const row = bytes * <usize>heads;
  const factor: f32 = <f32>1 / Mathf.sqrt(<f32>width);
  for (let h = 0; h < heads; h++) {
    const q = qkv + <usize>h * bytes;
    const dq = dqkv + <usize>h * bytes;
    for (let i = 0; i < length; i++, weights += (<usize>length) << 2) {
      const gradient = dy + <usize>i * row + <usize>h * bytes;
      let mean: f32 = 0;
      for (let j = 0; j < length; j++) {
        const p = load<f32>(weights + ((<usize>j) << 2));
        const value = <usize>j * 3 * row + 2 * row;
        const slope = dot(gradient, q + value, bytes);
        store<f32>(scratch + ((<usize>j) << 2), slope);
        mean += p * slope;
        const dv = dq + value;
        for (let k: usize = 0; k < bytes; k += 16)
          v128.store(dv + k, f32x4.add(v128.load(dv + k), f32x4.mul(f32x4.splat(p), v128.load(gradient + k))));
      }
      const query = q + <usize>i * 3 * row;
      const dQuery = dq + <usize>i * 3 * row;
      for (let j = 0; j < length; j++) {
        const p = load<f32>(weights + ((<usize>j) << 2));
        const d = f32x4.splat(factor * p * (load<f32>(scratch + ((<usize>j) << 2)) - mean));
        const key = q + <usize>j * 3 * row + row;
        const dKey = dq + <usize>j * 3 * row + row;
        for (let k: usize = 0; k < bytes; k += 16) {
          v128.store(dQuery + k, f32x4.add(v128.load(dQuery + k), f32x4.mul(d, v128.load(key + k))));
          v128.store(dKey + k, f32x4.add(v128.load(dKey + k), f32x4.mul(d, v128.load(query + k))));
        }
      }
    }
  }
}

/** Returns Σ x². */
export function squares(x: usize, length: i32): f64 {
  const end = x + ((<usize>length) << 2);
  let total: f64 = 0;
  while (x < end) {
    // Short partial sums keep f32 precise.
    const stop = min(end, x + 16384);
    let sum = zero;
    for (; x < stop; x += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(x), v128.load(x)));
    total += <f64>sum4(sum);
  }
  return total;
}

/** Adds the sum of x's rows to y. */
export function addRows(rows: i32, width: i32, x: usize, y: usize): void {
  const bytes = (<usize>width) << 2;
  for (let k: usize = 0; k < bytes; k += 16) {
    let sum = v128.load(y + k);
    let at = x + k;
    for (let n = 0; n < rows; n++, at += bytes) sum = f32x4.add(sum, v128.load(at));
    v128.store(y + k, sum);
  }
}

/** Sets y to x transposed. @param x `[rows, columns]`, both multiples of 4 */
export function transpose(rows: i32, columns: i32, x: usize, y: usize): void {
  const xRow = (<usize>columns) << 2;
  const yRow = (<usize>rows) << 2;
  for (let i = 0; i < rows; i += 4)
    for (let j = 0; j < columns; j += 4) {
      const from = x + <usize>i * xRow + ((<usize>j) << 2);
      const to = y + <usize>j * yRow + ((<usize>i) << 2);
      const a = v128.load(from);
      const b = v128.load(from + xRow);
      const c = v128.load(from + 2 * xRow);
      const d = v128.load(from + 3 * xRow);
      const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
      v128.store(to + yRow, v128.shuffle<i64>(ab, cd, 1, 3));
      v128.store(to + 2 * yRow, v128.shuffle<i64>(abHigh, cdHigh, 0, 2));
      v128.store(to + 3 * yRow, v128.shuffle<i64>(abHigh, cdHigh, 1, 3));
    }
}

/**
 * One step of AdamW in place, with the arithmetic of the model's optimizer: see adam-w.as.ts. Sets the gradients to zero.
 * @param rate learning rate over the first moment's correction
 * @param correction root of the second moment's correction
 * @param keep 1 − learning rate · weight decay
 */
export function adamStep(
  length: i32,
  values: usize,
  gradients: usize,
  mean: usize,
  square: usize,
  scale: f32,
  beta1: f32,
  beta2: f32,
  rate: f32,
  correction: f32,
  epsilon: f32,
  keep: f32,
): void {
  adamW(
    values, gradients, mean, square, values, mean, square, length,
    scale, beta1, beta2, rate, correction, epsilon, keep, 0, 1,
  );
  memory.fill(gradients, 0, (<usize>length) << 2);
}
