// AssemblyScript, not TypeScript: `npm run build:kernels` makes kernels.wasm of it.

import { exp4 } from './exp4.as';

/** How many rows of b are multiplied with before c is touched: its panel of eight columns and four rows of a fit in the cache. */
const depth: i32 = 384;
/** From so many rows of a on it pays to copy a panel of b. */
const panelRows: i32 = 12;

/**
 * c += a · b, on matrices of 32-bit floats in linear memory.
 * @param m rows of a and c
 * @param n columns of b and c, a multiple of 8; both lie row by row without gaps
 * @param k columns of a, rows of b
 * @param a address of a, whose element (i, p) lies at `a + 4 (i aRow + p aColumn)`: a transposed matrix costs nothing
 * @param panel scratch of 32 `depth` bytes
 */
export function gemm(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: i32,
  aColumn: i32,
  b: usize,
  c: usize,
  panel: usize,
): void {
  const rowBytes = (<usize>n) << 2;
  const aRowBytes = (<usize>aRow) << 2;
  const aColumnBytes = (<usize>aColumn) << 2;
  for (let first = 0; first < k; first += depth) {
    const steps = min(depth, k - first);
    const aPart = a + <usize>first * aColumnBytes;
    const bPart = b + <usize>first * rowBytes;
    for (let column: usize = 0; column < rowBytes; column += 32) {
      if (m < panelRows)
        gemmColumns(m, steps, aPart, aRowBytes, aColumnBytes, bPart + column, rowBytes, c + column, rowBytes);
      else {
        let from = bPart + column;
        for (let p = 0, to = panel; p < steps; p++, to += 32, from += rowBytes) {
          v128.store(to, v128.load(from));
          v128.store(to, v128.load(from, 16), 16);
        }
        gemmColumns(m, steps, aPart, aRowBytes, aColumnBytes, panel, 32, c + column, rowBytes);
      }
    }
  }
}

/** Eight columns of `gemm`. @param b address of the first one, with `bRowBytes` from row to row */
function gemmColumns(
  m: i32,
  k: i32,
  a: usize,
  aRowBytes: usize,
  aColumnBytes: usize,
  b: usize,
  bRowBytes: usize,
  c: usize,
  cRowBytes: usize,
): void {
  let i = 0;
  // Four rows by eight columns stay in registers, which is what the engine has. Where two or three rows are left, the last
  // one is computed again in place of the fourth, which is still faster than one by one.
  for (; i + 1 < m; i += 4) {
    const c0 = c + (<usize>i) * cRowBytes;
    const c1 = c0 + cRowBytes;
    const c2 = i + 2 < m ? c1 + cRowBytes : c1;
    const c3 = i + 3 < m ? c2 + cRowBytes : c2;
    let s00 = v128.load(c0);
    let s01 = v128.load(c0, 16);
    let s10 = v128.load(c1);
    let s11 = v128.load(c1, 16);
    let s20 = v128.load(c2);
    let s21 = v128.load(c2, 16);
    let s30 = v128.load(c3);
    let s31 = v128.load(c3, 16);
    let a0 = a + (<usize>i) * aRowBytes;
    let a1 = a0 + aRowBytes;
    let a2 = i + 2 < m ? a1 + aRowBytes : a1;
    let a3 = i + 3 < m ? a2 + aRowBytes : a2;
    let row = b;
    for (let p = 0; p < k; p++) {
      const b0 = v128.load(row);
      const b1 = v128.load(row, 16);
      const x0 = v128.load32_splat(a0);
      const x1 = v128.load32_splat(a1);
      const x2 = v128.load32_splat(a2);
      const x3 = v128.load32_splat(a3);
      s00 = f32x4.add(s00, f32x4.mul(x0, b0));
      s01 = f32x4.add(s01, f32x4.mul(x0, b1));
      s10 = f32x4.add(s10, f32x4.mul(x1, b0));
      s11 = f32x4.add(s11, f32x4.mul(x1, b1));
      s20 = f32x4.add(s20, f32x4.mul(x2, b0));
      s21 = f32x4.add(s21, f32x4.mul(x2, b1));
      s30 = f32x4.add(s30, f32x4.mul(x3, b0));
      s31 = f32x4.add(s31, f32x4.mul(x3, b1));
      a0 += aColumnBytes;
      a1 += aColumnBytes;
      a2 += aColumnBytes;
      a3 += aColumnBytes;
      row += bRowBytes;
    }
    v128.store(c3, s30);
    v128.store(c3, s31, 16);
    v128.store(c2, s20);
    v128.store(c2, s21, 16);
    v128.store(c1, s10);
    v128.store(c1, s11, 16);
    v128.store(c0, s00);
    v128.store(c0, s01, 16);
  }
  if (i < m) {
    const c0 = c + (<usize>i) * cRowBytes;
    let s0 = v128.load(c0);
    let s1 = v128.load(c0, 16);
    let at = a + (<usize>i) * aRowBytes;
    let row = b;
    for (let p = 0; p < k; p++) {
      const x = v128.load32_splat(at);
      s0 = f32x4.add(s0, f32x4.mul(x, v128.load(row)));
      s1 = f32x4.add(s1, f32x4.mul(x, v128.load(row, 16)));
      at += aColumnBytes;
      row += bRowBytes;
    }
    v128.store(c0, s0);
    v128.store(c0, s1, 16);
  }
}

const one: v128 = f32x4.splat(1);
const half: v128 = f32x4.splat(0.5);
const zero: v128 = f32x4.splat(0);

/**
 * A gated sum in both directions along the rows of one caption, as `Kernels.scan` describes.
 * @param gates `[rows, 4 width]`; c `[rows, 2 width]`; width a multiple of 4
 */
export function scan(gates: usize, c: usize, width: i32, rows: i32): void {
  const bytes = (<usize>width) << 2;
  const gateRow = bytes << 2;
  const stateRow = bytes << 1;
  const end = gates + (<usize>rows) * gateRow;
  for (let at = gates; at < end; at += 16) {
    const z = v128.load(at);
    v128.store(at, f32x4.div(z, f32x4.add(one, f32x4.abs(z))));
  }
  for (let k: usize = 0; k < bytes; k += 16) {
    let state = zero;
    let gate = gates + k;
    let to = c + k;
    for (let t = 0; t < rows; t++) {
      const f = f32x4.add(half, f32x4.mul(half, v128.load(gate)));
      v128.store(gate, f);
      state = f32x4.add(state, f32x4.mul(f, f32x4.sub(v128.load(gate + bytes), state)));
      v128.store(to, state);
      gate += gateRow;
      to += stateRow;
    }
    state = zero;
    gate = end - gateRow + stateRow + k;
    to = c + (<usize>(rows - 1)) * stateRow + bytes + k;
    for (let t = 0; t < rows; t++) {
      const f = f32x4.add(half, f32x4.mul(half, v128.load(gate)));
      v128.store(gate, f);
      state = f32x4.add(state, f32x4.mul(f, f32x4.sub(v128.load(gate + bytes), state)));
      v128.store(to, state);
      gate -= gateRow;
      to -= stateRow;
    }
  }
}

/** a += b. @param length a multiple of 4 */
export function add(a: usize, b: usize, length: i32): void {
  const end = a + ((<usize>length) << 2);
  for (; a < end; a += 16, b += 16) v128.store(a, f32x4.add(v128.load(a), v128.load(b)));
}

/** a = max(a + b, 0). @param length a multiple of 4 */
export function addRelu(a: usize, b: usize, length: i32): void {
  const end = a + ((<usize>length) << 2);
  for (; a < end; a += 16, b += 16)
    v128.store(a, f32x4.max(f32x4.add(v128.load(a), v128.load(b)), zero));
}

/** a = max(a, 0). @param length a multiple of 4 */
export function relu(a: usize, length: i32): void {
  const end = a + ((<usize>length) << 2);
  for (; a < end; a += 16) v128.store(a, f32x4.max(v128.load(a), zero));
}

/** The sum of a · b over `length` elements, a multiple of 4. */
export function dot(a: usize, b: usize, length: i32): f32 {
  const end = a + ((<usize>length) << 2);
  let sum = zero;
  for (; a < end; a += 16, b += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(a), v128.load(b)));
  return (
    f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3))
  );
}

/**
 * y = b + x · w with w in whole numbers of 12 bits, and y = max(y, 0) on demand. Each row of x is scaled to whole numbers of
 * 12 bits; their sums of products are exact: 2047² · 512 is below 2³¹.
 *
 * @param rows of x and y; inputs, even and at most 512; outputs a multiple of 8
 * @param w `[outputs / 8, inputs / 2, 8, 2]` of 16 bits: two inputs of eight outputs lie side by side
 * @param scales, b `[outputs]` of 32-bit floats: what a column is multiplied with, what is added
 * @param scratch `[4, inputs]` of 16 bits
 */
export function linear16(
  rows: i32,
  inputs: i32,
  outputs: i32,
  x: usize,
  w: usize,
  scales: usize,
  b: usize,
  y: usize,
  scratch: usize,
  isRelu: bool,
): void {
  const xRow = (<usize>inputs) << 2;
  const yRow = (<usize>outputs) << 2;
  const wholeRow = (<usize>inputs) << 1;
  const block = (<usize>inputs) << 4;
  const floor = isRelu ? zero : f32x4.splat(-Infinity);
  const x1 = scratch + wholeRow;
  const x2 = x1 + wholeRow;
  const x3 = x2 + wholeRow;
  for (let i = 0; i < rows; i += 4) {
    const count = min(4, rows - i);
    const f0 = f32x4.splat(toWhole(x, scratch, inputs));
    const f1 = f32x4.splat(count > 1 ? toWhole(x + xRow, x1, inputs) : 0);
    const f2 = f32x4.splat(count > 2 ? toWhole(x + 2 * xRow, x2, inputs) : 0);
    const f3 = f32x4.splat(count > 3 ? toWhole(x + 3 * xRow, x3, inputs) : 0);
    x += 4 * xRow;
    let at = w;
    for (let j: usize = 0; j < yRow; j += 32) {
      let s00 = i32x4.splat(0);
      let s01 = s00;
      let s10 = s00;
      let s11 = s00;
      let s20 = s00;
      let s21 = s00;
      let s30 = s00;
      let s31 = s00;
      const end = at + block;
      if (count > 2)
        for (let p = scratch; at < end; at += 32, p += 4) {
          const w0 = v128.load(at);
          const w1 = v128.load(at, 16);
          const a0 = v128.load32_splat(p);
          const a1 = v128.load32_splat(p + wholeRow);
          const a2 = v128.load32_splat(p + 2 * wholeRow);
          const a3 = v128.load32_splat(p + 3 * wholeRow);
          s00 = i32x4.add(s00, i32x4.dot_i16x8_s(a0, w0));
          s01 = i32x4.add(s01, i32x4.dot_i16x8_s(a0, w1));
          s10 = i32x4.add(s10, i32x4.dot_i16x8_s(a1, w0));
          s11 = i32x4.add(s11, i32x4.dot_i16x8_s(a1, w1));
          s20 = i32x4.add(s20, i32x4.dot_i16x8_s(a2, w0));
          s21 = i32x4.add(s21, i32x4.dot_i16x8_s(a2, w1));
          s30 = i32x4.add(s30, i32x4.dot_i16x8_s(a3, w0));
          s31 = i32x4.add(s31, i32x4.dot_i16x8_s(a3, w1));
        }
      else
        for (let p = scratch; at < end; at += 32, p += 4) {
          const w0 = v128.load(at);
          const w1 = v128.load(at, 16);
          const a0 = v128.load32_splat(p);
          const a1 = v128.load32_splat(p + wholeRow);
          s00 = i32x4.add(s00, i32x4.dot_i16x8_s(a0, w0));
          s01 = i32x4.add(s01, i32x4.dot_i16x8_s(a0, w1));
          s10 = i32x4.add(s10, i32x4.dot_i16x8_s(a1, w0));
          s11 = i32x4.add(s11, i32x4.dot_i16x8_s(a1, w1));
        }
      const g0 = v128.load(scales + j);
      const g1 = v128.load(scales + j, 16);
      const b0 = v128.load(b + j);
      const b1 = v128.load(b + j, 16);
      const to = y + j;
      storeSums(to, s00, s01, f0, g0, g1, b0, b1, floor);
      if (count > 1) storeSums(to + yRow, s10, s11, f1, g0, g1, b0, b1, floor);
      if (count > 2) storeSums(to + 2 * yRow, s20, s21, f2, g0, g1, b0, b1, floor);
      if (count > 3) storeSums(to + 3 * yRow, s30, s31, f3, g0, g1, b0, b1, floor);
    }
    y += 4 * yRow;
  }
}

// @ts-ignore: decorator
@inline
function storeSums(
  to: usize,
  s0: v128,
  s1: v128,
  f: v128,
  g0: v128,
  g1: v128,
  b0: v128,
  b1: v128,
  floor: v128,
): void {
  const y0 = f32x4.add(b0, f32x4.mul(f32x4.convert_i32x4_s(s0), f32x4.mul(f, g0)));
  const y1 = f32x4.add(b1, f32x4.mul(f32x4.convert_i32x4_s(s1), f32x4.mul(f, g1)));
  v128.store(to, f32x4.max(y0, floor));
  v128.store(to, f32x4.max(y1, floor), 16);
}

/** A row as whole numbers of 12 bits. @param length a multiple of 8 @returns what they are multiplied with */
function toWhole(x: usize, to: usize, length: i32): f32 {
  const end = x + ((<usize>length) << 2);
  let most = zero;
  for (let at = x; at < end; at += 16) most = f32x4.max(most, f32x4.abs(v128.load(at)));
  const largest = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  const scale = f32x4.splat(largest > 0 ? <f32>2047 / largest : 0);
  for (; x < end; x += 32, to += 16) {
    const a = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x), scale)));
    const c = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x, 16), scale)));
    v128.store(to, i16x8.narrow_i32x4_s(a, c));
  }
  return largest / <f32>2047;
}

/**
 * Each row's sum over its window, and max(…, 0) of it.
 * @param slots `[rows]` of 32 bits: which word stands in a row
 * @param given `[words, window, width]`: what a word gives to a row, by its place in the row's window
 * @param bias `[width]`; table `[flags, width]`; flags `[rows]` of 32 bits
 */
export function windows(
  rows: i32,
  width: i32,
  slots: usize,
  given: usize,
  window: i32,
  bias: usize,
  table: usize,
  flags: usize,
  to: usize,
): void {
  const bytes = (<usize>width) << 2;
  const reach = window >> 1;
  for (let t = 0; t < rows; t++, to += bytes) {
    const flag = table + <usize>load<u32>(flags + ((<usize>t) << 2)) * bytes;
    for (let k: usize = 0; k < bytes; k += 16)
      v128.store(to + k, f32x4.add(v128.load(bias + k), v128.load(flag + k)));
    const last = min(window, rows - t + reach);
    for (let place = max(0, reach - t); place < last; place++) {
      const slot = load<u32>(slots + ((<usize>(t + place - reach)) << 2));
      const from = given + (<usize>slot * <usize>window + <usize>place) * bytes;
      for (let k: usize = 0; k < bytes; k += 16)
        v128.store(to + k, f32x4.add(v128.load(to + k), v128.load(from + k)));
    }
    for (let k: usize = 0; k < bytes; k += 16) v128.store(to + k, f32x4.max(v128.load(to + k), zero));
  }
}

/**
 * One row for each pair of mentions: max(b + first + second + their product + the largest between them + distances, 0).
 * @param pairs `[count, 6]` of 32 bits: first and second mention, rows between them from and to, two rows of `distances`
 * @param mentions `[mentions, 4 width]`: what each is as a first, as a second, as a factor of either
 * @param most `[count, width]`: set to the largest between them
 */
export function pairInputs(
  count: i32,
  width: i32,
  pairs: usize,
  mentions: usize,
  between: usize,
  distances: usize,
  b: usize,
  least: f32,
  most: usize,
  to: usize,
): void {
  const bytes = (<usize>width) << 2;
  const floor = f32x4.splat(least);
  for (let n = 0; n < count; n++, pairs += 24, most += bytes, to += bytes) {
    const first = mentions + <usize>load<u32>(pairs) * 4 * bytes;
    const second = mentions + <usize>load<u32>(pairs, 4) * 4 * bytes + bytes;
    const start = between + <usize>load<u32>(pairs, 8) * bytes;
    const end = between + <usize>load<u32>(pairs, 12) * bytes;
    const distance = distances + <usize>load<u32>(pairs, 16) * bytes;
    const steps = distances + <usize>load<u32>(pairs, 20) * bytes;
    for (let k: usize = 0; k < bytes; k += 16) {
      let largest = floor;
      for (let at = start + k; at < end; at += bytes) largest = f32x4.max(largest, v128.load(at));
      v128.store(most + k, largest);
      const ends = f32x4.add(v128.load(first + k), v128.load(second + k));
      const product = f32x4.mul(v128.load(first + 2 * bytes + k), v128.load(second + 2 * bytes + k));
      const apart = f32x4.add(v128.load(distance + k), v128.load(steps + k));
      const rest = f32x4.add(v128.load(b + k), largest);
      v128.store(to + k, f32x4.max(f32x4.add(f32x4.add(ends, product), f32x4.add(apart, rest)), zero));
    }
  }
}

/**
 * Of each row the place of its largest score and the probability of that in the row's softmax.
 * @param width a multiple of 4; places `[rows]` of 32 bits; probabilities `[rows]`
 */
export function likeliest(rows: i32, width: i32, scores: usize, places: usize, probabilities: usize): void {
  const bytes = (<usize>width) << 2;
  for (let n = 0; n < rows; n++, scores += bytes, places += 4, probabilities += 4) {
    let most = v128.load(scores);
    for (let k: usize = 16; k < bytes; k += 16) most = f32x4.max(most, v128.load(scores + k));
    const largest = max(
      max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
      max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
    );
    const top = f32x4.splat(largest);
    let sum = zero;
    for (let k: usize = 0; k < bytes; k += 16) sum = f32x4.add(sum, exp4(f32x4.sub(v128.load(scores + k), top)));
    let place = 0;
    while (load<f32>(scores + ((<usize>place) << 2)) != largest) place++;
    store<i32>(places, place);
    store<f32>(
      probabilities,
      <f32>1 /
        (f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3))),
    );
  }
}

/**
 * to = x + the expectation of a table's rows under the softmax of each row's scores: what a token is told of its own tag.
 * @param scores `[rows, 8]`, of which `count` count; weights `[rows, 8]`: set to the softmax
 * @param x, to `[rows, width]`; table `[count, width]`
 */
export function addExpected(
  rows: i32,
  width: i32,
  count: i32,
  scores: usize,
  weights: usize,
  table: usize,
  x: usize,
  to: usize,
): void {
  const bytes = (<usize>width) << 2;
  for (let n = 0; n < rows; n++, scores += 32, weights += 32, x += bytes, to += bytes) {
    let largest = load<f32>(scores);
    for (let c = 1; c < count; c++) largest = max(largest, load<f32>(scores + ((<usize>c) << 2)));
    const top = f32x4.splat(largest);
    v128.store(weights, exp4(f32x4.sub(v128.load(scores), top)));
    v128.store(weights, exp4(f32x4.sub(v128.load(scores, 16), top)), 16);
    let sum: f32 = 0;
    for (let c = 0; c < count; c++) sum += load<f32>(weights + ((<usize>c) << 2));
    for (let c = 0; c < 8; c++) {
      const at = weights + ((<usize>c) << 2);
      store<f32>(at, c < count ? load<f32>(at) / sum : 0);
    }
    for (let k: usize = 0; k < bytes; k += 16) {
      let y = v128.load(x + k);
      let row = table + k;
      for (let c = 0; c < count; c++, row += bytes)
        y = f32x4.add(y, f32x4.mul(v128.load32_splat(weights + ((<usize>c) << 2)), v128.load(row)));
      v128.store(to + k, y);
    }
  }
}
