// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { Matrix } from './structs.as';

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

const zero: v128 = f32x4.splat(0);

/** Rows that `linear16` multiplies a block of columns with before it takes the next: all of them stay in the first cache. */
const wholeRows: i32 = 32;

/**
 * y = b + x · w with w in whole numbers of 12 bits, and y = max(y, 0) on demand. Each row of x is scaled to whole numbers of
 * 12 bits; their sums of products are exact: 2047² · 512 is below 2³¹.
 *
 * @param rows of x and y; inputs, a multiple of 8 and at most 512; outputs a multiple of 8
 * @param w `[outputs / 8, inputs / 2, 8, 2]` of 16 bits: two inputs of eight outputs lie side by side
 * @param scales, b `[outputs]` of 32-bit floats: what a column is multiplied with, what is added
 * @param scratch `[wholeRows]` of 32-bit floats, then `[wholeRows, inputs]` of 16 bits
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
  const whole = scratch + ((<usize>wholeRows) << 2);
  for (let first = 0; first < rows; first += wholeRows) {
    const count = min(wholeRows, rows - first);
    for (let i = 0; i < count; i++, x += xRow)
      store<f32>(scratch + ((<usize>i) << 2), toWhole(x, whole + <usize>i * wholeRow, inputs));
    let column = w;
    for (let j: usize = 0; j < yRow; j += 32, column += block) {
      const end = column + block;
      const g0 = v128.load(scales + j);
      const g1 = v128.load(scales + j, 16);
      const b0 = v128.load(b + j);
      const b1 = v128.load(b + j, 16);
      let to = y + j;
      let factor = scratch;
      let p0 = whole;
      let i = count;
      for (; i > 2; i -= 4, factor += 16, to += 4 * yRow, p0 += 4 * wholeRow) {
        // Where three rows are left, the third one is computed again in place of the fourth.
        const p1 = p0 + wholeRow;
        const p2 = p1 + wholeRow;
        const p3 = i > 3 ? p2 + wholeRow : p2;
        let s00 = i32x4.splat(0);
        let s01 = s00;
        let s10 = s00;
        let s11 = s00;
        let s20 = s00;
        let s21 = s00;
        let s30 = s00;
        let s31 = s00;
        for (let at = column, k: usize = 0; at < end; at += 64, k += 8) {
          let w0 = v128.load(at);
          let w1 = v128.load(at, 16);
          let a = v128.load32_splat(p0 + k);
          s00 = i32x4.add(s00, i32x4.dot_i16x8_s(a, w0));
          s01 = i32x4.add(s01, i32x4.dot_i16x8_s(a, w1));
          a = v128.load32_splat(p1 + k);
          s10 = i32x4.add(s10, i32x4.dot_i16x8_s(a, w0));
          s11 = i32x4.add(s11, i32x4.dot_i16x8_s(a, w1));
          a = v128.load32_splat(p2 + k);
          s20 = i32x4.add(s20, i32x4.dot_i16x8_s(a, w0));
          s21 = i32x4.add(s21, i32x4.dot_i16x8_s(a, w1));
          a = v128.load32_splat(p3 + k);
          s30 = i32x4.add(s30, i32x4.dot_i16x8_s(a, w0));
          s31 = i32x4.add(s31, i32x4.dot_i16x8_s(a, w1));
          w0 = v128.load(at, 32);
          w1 = v128.load(at, 48);
          a = v128.load32_splat(p0 + k, 4);
          s00 = i32x4.add(s00, i32x4.dot_i16x8_s(a, w0));
          s01 = i32x4.add(s01, i32x4.dot_i16x8_s(a, w1));
          a = v128.load32_splat(p1 + k, 4);
          s10 = i32x4.add(s10, i32x4.dot_i16x8_s(a, w0));
          s11 = i32x4.add(s11, i32x4.dot_i16x8_s(a, w1));
          a = v128.load32_splat(p2 + k, 4);
          s20 = i32x4.add(s20, i32x4.dot_i16x8_s(a, w0));
          s21 = i32x4.add(s21, i32x4.dot_i16x8_s(a, w1));
          a = v128.load32_splat(p3 + k, 4);
          s30 = i32x4.add(s30, i32x4.dot_i16x8_s(a, w0));
          s31 = i32x4.add(s31, i32x4.dot_i16x8_s(a, w1));
        }
        storeSums(to, s00, s01, v128.load32_splat(factor), g0, g1, b0, b1, floor);
        storeSums(to + yRow, s10, s11, v128.load32_splat(factor, 4), g0, g1, b0, b1, floor);
        storeSums(to + 2 * yRow, s20, s21, v128.load32_splat(factor, 8), g0, g1, b0, b1, floor);
        if (i > 3) storeSums(to + 3 * yRow, s30, s31, v128.load32_splat(factor, 12), g0, g1, b0, b1, floor);
      }
      if (i > 0) {
        const p1 = i > 1 ? p0 + wholeRow : p0;
        let s00 = i32x4.splat(0);
        let s01 = s00;
        let s10 = s00;
        let s11 = s00;
        for (let at = column, k: usize = 0; at < end; at += 32, k += 4) {
          const w0 = v128.load(at);
          const w1 = v128.load(at, 16);
          const a0 = v128.load32_splat(p0 + k);
          const a1 = v128.load32_splat(p1 + k);
          s00 = i32x4.add(s00, i32x4.dot_i16x8_s(a0, w0));
          s01 = i32x4.add(s01, i32x4.dot_i16x8_s(a0, w1));
          s10 = i32x4.add(s10, i32x4.dot_i16x8_s(a1, w0));
          s11 = i32x4.add(s11, i32x4.dot_i16x8_s(a1, w1));
        }
        storeSums(to, s00, s01, v128.load32_splat(factor), g0, g1, b0, b1, floor);
        if (i > 1) storeSums(to + yRow, s10, s11, v128.load32_splat(factor, 4), g0, g1, b0, b1, floor);
      }
    }
    y += <usize>count * yRow;
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

/** 1.5 · 2²³: added to a float below 2²² it leaves the nearest whole number in the lowest bits. */
const rounding: v128 = f32x4.splat(12582912);

/** A row as whole numbers of 12 bits. @param length a multiple of 8 @returns what they are multiplied with */
function toWhole(x: usize, to: usize, length: i32): f32 {
  const end = x + ((<usize>length) << 2);
  let most = zero;
  for (let at = x; at < end; at += 32) {
    const larger = f32x4.max(f32x4.abs(v128.load(at)), f32x4.abs(v128.load(at, 16)));
    most = f32x4.max(most, larger);
  }
  const largest = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  const scale = f32x4.splat(largest > 0 ? <f32>2047 / largest : 0);
  for (; x < end; x += 32, to += 16) {
    const a = i32x4.sub(f32x4.add(f32x4.mul(v128.load(x), scale), rounding), rounding);
    const c = i32x4.sub(f32x4.add(f32x4.mul(v128.load(x, 16), scale), rounding), rounding);
    v128.store(to, i16x8.narrow_i32x4_s(a, c));
  }
  return largest / <f32>2047;
}

/** `linear16` of a layer. */
// @ts-ignore: decorator
@inline
export function linear(layer: Matrix, rows: i32, x: usize, y: usize, isRelu: bool, scratch: usize): void {
  linear16(rows, layer.inputs, layer.outputs, x, layer.whole, layer.scales, layer.bias, y, scratch, isRelu);
}
