// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { Matrix } from './structs.as';

/** Rows of b that are multiplied before c is updated: a panel of eight columns of them and four rows of a fit in the cache. */
const depth: i32 = 384;
/** Least rows of a for which copying a panel of b saves time. */
const minPanelRows: i32 = 12;

/**
 * c += a · b, on f32 matrices.
 *
 * It exists besides the model's product (src/model/backends/kernels/gemm.as.ts) because that one, which takes any widths and
 * strides, batches and threads, computes 16 columns at a time and needs 3 times as long for this network's tags, 700 × 8 × 64.
 * For its other shapes both need about as long (`npm run bench:products`).
 *
 * @param m rows of a and c
 * @param n columns of b and c, a multiple of 8; both are row-major without gaps
 * @param k columns of a, rows of b
 * @param a element (i, p) is at `a + 4 (i aRow + p aColumn)`, so a transposed matrix needs no copy
 * @param panel scratch, 32 `depth` bytes
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
      if (m < minPanelRows)
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

/** Computes eight columns of `gemm`. @param b address of the first one; its rows are `bRowBytes` apart */
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
  // Four rows by eight columns fill the engine's registers. With two or three rows left, the last one is computed again in
  // place of the missing ones, which is still faster than one by one.
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

/** Rows that `quantizedLinear` multiplies by a block of columns before the next block: they stay in the first-level cache. */
const blockRows: i32 = 32;

/**
 * y = b + x · w with w in 12-bit integers, or max(…, 0) of it. Each row of x is scaled to 12-bit integers; the sums of
 * products are exact, as 2047² · 512 is below 2³¹.
 *
 * @param rows of x and y; inputs, a multiple of 8 and at most 512; outputs, a multiple of 8
 * @param w `[outputs / 8, inputs / 2, 8, 2]` i16: pairs of inputs of eight outputs
 * @param scales, b `[outputs]` f32: each column's scale and bias
 * @param scratch `[blockRows]` f32, then `[blockRows, inputs]` i16
 */
export function quantizedLinear(
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
  const integerRow = (<usize>inputs) << 1;
  const block = (<usize>inputs) << 4;
  const floor = isRelu ? zero : f32x4.splat(-Infinity);
  const integers = scratch + ((<usize>blockRows) << 2);
  for (let first = 0; first < rows; first += blockRows) {
    const count = min(blockRows, rows - first);
    for (let i = 0; i < count; i++, x += xRow)
      store<f32>(scratch + ((<usize>i) << 2), quantizeRow(x, integers + <usize>i * integerRow, inputs));
    let column = w;
    for (let j: usize = 0; j < yRow; j += 32, column += block) {
      const end = column + block;
      const g0 = v128.load(scales + j);
      const g1 = v128.load(scales + j, 16);
      const b0 = v128.load(b + j);
      const b1 = v128.load(b + j, 16);
      let to = y + j;
      let factor = scratch;
      let p0 = integers;
      let i = count;
      for (; i > 2; i -= 4, factor += 16, to += 4 * yRow, p0 += 4 * integerRow) {
        // With three rows left, the third one is computed again in place of the fourth.
        const p1 = p0 + integerRow;
        const p2 = p1 + integerRow;
        const p3 = i > 3 ? p2 + integerRow : p2;
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
        const p1 = i > 1 ? p0 + integerRow : p0;
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

/** 1.5 · 2²³: adding it to a float below 2²² leaves the nearest integer in the lowest bits. */
const rounding: v128 = f32x4.splat(12582912);

/** Converts a row to 12-bit integers. @param length a multiple of 8 @returns their scale */
function quantizeRow(x: usize, to: usize, length: i32): f32 {
  const end = x + ((<usize>length) << 2);
  let lanes = zero;
  for (let at = x; at < end; at += 32) {
    const larger = f32x4.max(f32x4.abs(v128.load(at)), f32x4.abs(v128.load(at, 16)));
    lanes = f32x4.max(lanes, larger);
  }
  const largest = max(
    max(f32x4.extract_lane(lanes, 0), f32x4.extract_lane(lanes, 1)),
    max(f32x4.extract_lane(lanes, 2), f32x4.extract_lane(lanes, 3)),
  );
  const scale = f32x4.splat(largest > 0 ? <f32>2047 / largest : 0);
  for (; x < end; x += 32, to += 16) {
    const a = i32x4.sub(f32x4.add(f32x4.mul(v128.load(x), scale), rounding), rounding);
    const c = i32x4.sub(f32x4.add(f32x4.mul(v128.load(x, 16), scale), rounding), rounding);
    v128.store(to, i16x8.narrow_i32x4_s(a, c));
  }
  return largest / <f32>2047;
}

/** `quantizedLinear` of a layer. */
// @ts-ignore: decorator
@inline
export function linear(layer: Matrix, rows: i32, x: usize, y: usize, isRelu: bool, scratch: usize): void {
  quantizedLinear(rows, layer.inputs, layer.outputs, x, layer.weights, layer.scales, layer.bias, y, scratch, isRelu);
}
