// AssemblyScript, not TypeScript: see model-kernels.as.ts.
import { partStart } from './gemm.as';

/** Returns the first two floats in double precision. */
// @ts-ignore: decorator
@inline
function low(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

/** Returns the last two floats in double precision. */
// @ts-ignore: decorator
@inline
function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
}

/** Number of columns that are summed at once: one cache line. */
const BLOCK: i32 = 16;

/**
 * Sums over the middle axis in double precision and multiplies by a factor.
 * @param x `[outer, count, inner]`; to: `[outer, inner]`
 */
export function sums(
  x: usize, to: usize,
  outer: i32, count: i32, inner: i32, factor: f64,
  thread: i32, threads: i32,
): void {
  const blocks = (inner + BLOCK - 1) / BLOCK;
  const end = partStart(outer * blocks, 1, thread + 1, threads);
  for (let unit = partStart(outer * blocks, 1, thread, threads); unit < end; unit++) {
    const row = unit / blocks;
    const first = (unit % blocks) * BLOCK;
    const from = x + ((<usize>row * <usize>count * <usize>inner + <usize>first) << 2);
    const out = to + ((<usize>row * <usize>inner + <usize>first) << 2);
    if (inner == 1) store<f32>(out, <f32>(sumOfRow(from, count) * factor));
    else sumsOfColumns(from, out, count, <usize>inner << 2, min(BLOCK, inner - first), factor);
  }
}

function sumOfRow(from: usize, count: i32): f64 {
  let a = f64x2.splat(0), b = a, c = a, d = a;
  const end = from + (<usize>count << 2);
  for (; from + 32 <= end; from += 32) {
    const x = v128.load(from), y = v128.load(from, 16);
    a = f64x2.add(a, low(x));
    b = f64x2.add(b, high(x));
    c = f64x2.add(c, low(y));
    d = f64x2.add(d, high(y));
  }
  const all = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  let sum = f64x2.extract_lane(all, 0) + f64x2.extract_lane(all, 1);
  for (; from < end; from += 4) sum += <f64>load<f32>(from);
  return sum;
}

function sumsOfColumns(from: usize, to: usize, count: i32, step: usize, columns: i32, factor: f64): void {
  if (columns == BLOCK) {
    let a = f64x2.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (let k = 0; k < count; k++, from += step) {
      const x = v128.load(from), y = v128.load(from, 16), z = v128.load(from, 32), w = v128.load(from, 48);
      a = f64x2.add(a, low(x));
      b = f64x2.add(b, high(x));
      c = f64x2.add(c, low(y));
      d = f64x2.add(d, high(y));
      e = f64x2.add(e, low(z));
      f = f64x2.add(f, high(z));
      g = f64x2.add(g, low(w));
      h = f64x2.add(h, high(w));
    }
    put(to, a, b, factor);
    put(to + 16, c, d, factor);
    put(to + 32, e, f, factor);
    put(to + 48, g, h, factor);
    return;
  }
  for (let column = 0; column < columns; column++, from += 4, to += 4) {
    let sum: f64 = 0;
    for (let k = 0, at = from; k < count; k++, at += step) sum += <f64>load<f32>(at);
    store<f32>(to, <f32>(sum * factor));
  }
}

/** Stores four sums times the factor as 32-bit floats. */
// @ts-ignore: decorator
@inline
function put(to: usize, a: v128, b: v128, factor: f64): void {
  const f = f64x2.splat(factor);
  const first = f32x4.demote_f64x2_zero(f64x2.mul(a, f));
  const second = f32x4.demote_f64x2_zero(f64x2.mul(b, f));
  v128.store(to, v128.shuffle<f32>(first, second, 0, 1, 4, 5));
}
