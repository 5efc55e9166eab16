// AssemblyScript, not TypeScript: see model-kernels.as.ts.
import { partStart } from './gemm.as';

// @ts-ignore: decorator
@inline
function sumLanes(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/**
 * Normalizes, scales and shifts each row.
 * @param x `[rows, width]`, as `to`; gamma: `[width]`, as beta
 * @param statistics receives the mean and 1 / standard deviation of each row, `[rows, 2]`
 */
export function layerNorm(
  x: usize, gamma: usize, beta: usize, to: usize, statistics: usize,
  rows: i32, width: i32, epsilon: f32,
  thread: i32, threads: i32,
): void {
  const bytes = <usize>width << 2;
  const end = partStart(rows, 1, thread + 1, threads);
  for (let row = partStart(rows, 1, thread, threads); row < end; row++) {
    const from = x + <usize>row * bytes;
    const out = to + <usize>row * bytes;
    let sums = f32x4.splat(0);
    let d: usize = 0;
    for (; d + 16 <= bytes; d += 16) sums = f32x4.add(sums, v128.load(from + d));
    let sum = sumLanes(sums);
    for (; d < bytes; d += 4) sum += load<f32>(from + d);
    const mean = sum / <f32>width;
    const means = f32x4.splat(mean);
    sums = f32x4.splat(0);
    d = 0;
    for (; d + 16 <= bytes; d += 16) {
      const centered = f32x4.sub(v128.load(from + d), means);
      sums = f32x4.add(sums, f32x4.mul(centered, centered));
    }
    sum = sumLanes(sums);
    for (; d < bytes; d += 4) {
      const centered = load<f32>(from + d) - mean;
      sum += centered * centered;
    }
    const scale: f32 = <f32>1 / Mathf.sqrt(sum / <f32>width + epsilon);
    store<f32>(statistics + (<usize>row << 3), mean);
    store<f32>(statistics + (<usize>row << 3), scale, 4);
    const scales = f32x4.splat(scale);
    d = 0;
    for (; d + 16 <= bytes; d += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(from + d), means), scales);
      v128.store(out + d, f32x4.add(f32x4.mul(normal, v128.load(gamma + d)), v128.load(beta + d)));
    }
    for (; d < bytes; d += 4)
      store<f32>(out + d, (load<f32>(from + d) - mean) * scale * load<f32>(gamma + d) + load<f32>(beta + d));
  }
}

/** Computes the gradient of `layerNorm` with respect to x. */
export function layerNormGradient(
  x: usize, gamma: usize, dy: usize, statistics: usize, dx: usize,
  rows: i32, width: i32,
  thread: i32, threads: i32,
): void {
  const bytes = <usize>width << 2;
  const end = partStart(rows, 1, thread + 1, threads);
  for (let row = partStart(rows, 1, thread, threads); row < end; row++) {
    const from = x + <usize>row * bytes;
    const g = dy + <usize>row * bytes;
    const out = dx + <usize>row * bytes;
    const mean = load<f32>(statistics + (<usize>row << 3));
    const scale = load<f32>(statistics + (<usize>row << 3), 4);
    const means = f32x4.splat(mean), scales = f32x4.splat(scale);
    let sums = f32x4.splat(0), products = f32x4.splat(0);
    let d: usize = 0;
    for (; d + 16 <= bytes; d += 16) {
      const weighted = f32x4.mul(v128.load(g + d), v128.load(gamma + d));
      sums = f32x4.add(sums, weighted);
      products = f32x4.add(products, f32x4.mul(weighted, f32x4.mul(f32x4.sub(v128.load(from + d), means), scales)));
    }
    let sum = sumLanes(sums), product = sumLanes(products);
    for (; d < bytes; d += 4) {
      const weighted = load<f32>(g + d) * load<f32>(gamma + d);
      sum += weighted;
      product += weighted * (load<f32>(from + d) - mean) * scale;
    }
    sum /= <f32>width;
    product /= <f32>width;
    const s = f32x4.splat(sum), p = f32x4.splat(product);
    d = 0;
    for (; d + 16 <= bytes; d += 16) {
      const weighted = f32x4.mul(v128.load(g + d), v128.load(gamma + d));
      const normal = f32x4.mul(f32x4.sub(v128.load(from + d), means), scales);
      v128.store(out + d, f32x4.mul(scales, f32x4.sub(f32x4.sub(weighted, s), f32x4.mul(normal, p))));
    }
    for (; d < bytes; d += 4) {
      const weighted = load<f32>(g + d) * load<f32>(gamma + d);
      store<f32>(out + d, scale * (weighted - sum - (load<f32>(from + d) - mean) * scale * product));
    }
  }
}

/**
 * Adds the gradients of `layerNorm` with respect to gamma and beta to `dGamma` and `dBeta`. Each thread handles some columns.
 */
export function layerNormParameterGradient(
  x: usize, dy: usize, statistics: usize, dGamma: usize, dBeta: usize,
  rows: i32, width: i32,
  thread: i32, threads: i32,
): void {
  const start = <usize>partStart(width, 4, thread, threads) << 2;
  const end = <usize>partStart(width, 4, thread + 1, threads) << 2;
  const bytes = <usize>width << 2;
  for (let row = 0; row < rows; row++) {
    const from = x + <usize>row * bytes;
    const g = dy + <usize>row * bytes;
    const mean = load<f32>(statistics + (<usize>row << 3));
    const scale = load<f32>(statistics + (<usize>row << 3), 4);
    const means = f32x4.splat(mean), scales = f32x4.splat(scale);
    let d = start;
    for (; d + 16 <= end; d += 16) {
      const gradient = v128.load(g + d);
      const normal = f32x4.mul(f32x4.sub(v128.load(from + d), means), scales);
      v128.store(dGamma + d, f32x4.add(v128.load(dGamma + d), f32x4.mul(gradient, normal)));
      v128.store(dBeta + d, f32x4.add(v128.load(dBeta + d), gradient));
    }
    for (; d < end; d += 4) {
      const gradient = load<f32>(g + d);
      store<f32>(dGamma + d, load<f32>(dGamma + d) + gradient * (load<f32>(from + d) - mean) * scale);
      store<f32>(dBeta + d, load<f32>(dBeta + d) + gradient);
    }
  }
}

/**
 * Computes the exponential function for x in [−87, 88], with a relative error of about 1e-7; returns 0 for smaller x.
 * Source: Cephes, `expf`: reduction to 2ⁿ · exp(r), |r| ≤ ½ ln 2, and a polynomial of degree 6.
 */
// @ts-ignore: decorator
@inline
function exp4(x: v128): v128 {
  const clamped = f32x4.max(f32x4.min(x, f32x4.splat(88)), f32x4.splat(-87.3));
  const n = f32x4.nearest(f32x4.mul(clamped, f32x4.splat(1.44269504088896341)));
  let r = f32x4.sub(clamped, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let y = f32x4.splat(1.9875691500e-4);
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1.3981999507e-3));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(8.3334519073e-3));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(4.1665795894e-2));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1.6666665459e-1));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(5.0000001201e-1));
  y = f32x4.add(f32x4.add(f32x4.mul(y, f32x4.mul(r, r)), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  const value = f32x4.mul(y, power);
  // NaN stays NaN, and very small x give 0.
  return v128.bitselect(f32x4.splat(0), v128.bitselect(value, x, f32x4.eq(x, x)), f32x4.lt(x, f32x4.splat(-87.3)));
}

// @ts-ignore: decorator
@inline
function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0);
}

/** Computes the softmax of each row. */
export function softmax(x: usize, to: usize, rows: i32, width: i32, thread: i32, threads: i32): void {
  const bytes = <usize>width << 2;
  const end = partStart(rows, 1, thread + 1, threads);
  for (let row = partStart(rows, 1, thread, threads); row < end; row++) {
    const from = x + <usize>row * bytes;
    const out = to + <usize>row * bytes;
    let most: f32 = -f32.MAX_VALUE;
    let d: usize = 0;
    if (bytes >= 16) {
      let m = v128.load(from);
      for (; d + 16 <= bytes; d += 16) m = f32x4.max(m, v128.load(from + d));
      most = max(max(f32x4.extract_lane(m, 0), f32x4.extract_lane(m, 1)), max(f32x4.extract_lane(m, 2), f32x4.extract_lane(m, 3)));
    }
    for (; d < bytes; d += 4) most = max(most, load<f32>(from + d));
    const top = f32x4.splat(most);
    let sums = f32x4.splat(0);
    d = 0;
    for (; d + 16 <= bytes; d += 16) {
      const e = exp4(f32x4.sub(v128.load(from + d), top));
      sums = f32x4.add(sums, e);
      v128.store(out + d, e);
    }
    let sum = sumLanes(sums);
    for (; d < bytes; d += 4) {
      const e = exp1(load<f32>(from + d) - most);
      sum += e;
      store<f32>(out + d, e);
    }
    const scale: f32 = <f32>1 / sum;
    const scales = f32x4.splat(scale);
    d = 0;
    for (; d + 16 <= bytes; d += 16) v128.store(out + d, f32x4.mul(v128.load(out + d), scales));
    for (; d < bytes; d += 4) store<f32>(out + d, load<f32>(out + d) * scale);
  }
}

/** Computes the gradient of `softmax` from its output y: dx = y (dy − Σ dy y). */
export function softmaxGradient(y: usize, dy: usize, dx: usize, rows: i32, width: i32, thread: i32, threads: i32): void {
  const bytes = <usize>width << 2;
  const end = partStart(rows, 1, thread + 1, threads);
  for (let row = partStart(rows, 1, thread, threads); row < end; row++) {
    const at = <usize>row * bytes;
    let sums = f32x4.splat(0);
    let d: usize = at;
    for (; d + 16 <= at + bytes; d += 16) sums = f32x4.add(sums, f32x4.mul(v128.load(y + d), v128.load(dy + d)));
    let sum = sumLanes(sums);
    for (; d < at + bytes; d += 4) sum += load<f32>(y + d) * load<f32>(dy + d);
    const s = f32x4.splat(sum);
    d = at;
    for (; d + 16 <= at + bytes; d += 16)
      v128.store(dx + d, f32x4.mul(v128.load(y + d), f32x4.sub(v128.load(dy + d), s)));
    for (; d < at + bytes; d += 4) store<f32>(dx + d, load<f32>(y + d) * (load<f32>(dy + d) - sum));
  }
}

/**
 * Computes the error function with an absolute error of 1.5e-7.
 * Source: Abramowitz and Stegun, 7.1.26.
 */
// @ts-ignore: decorator
@inline
function erf4(x: v128): v128 {
  const z = f32x4.abs(x);
  const t = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), f32x4.mul(z, f32x4.splat(0.3275911))));
  let y = f32x4.splat(1.061405429);
  y = f32x4.add(f32x4.mul(y, t), f32x4.splat(-1.453152027));
  y = f32x4.add(f32x4.mul(y, t), f32x4.splat(1.421413741));
  y = f32x4.add(f32x4.mul(y, t), f32x4.splat(-0.284496736));
  y = f32x4.add(f32x4.mul(y, t), f32x4.splat(0.254829592));
  const value = f32x4.sub(f32x4.splat(1), f32x4.mul(f32x4.mul(y, t), exp4(f32x4.neg(f32x4.mul(z, z)))));
  return v128.or(value, v128.and(x, f32x4.splat(-0.0)));
}

const rootHalf: f32 = 0.7071067811865476;
/** 1 / √(2π) */
const densityFactor: f32 = 0.3989422804014327;

// @ts-ignore: decorator
@inline
function gelu4(x: v128): v128 {
  const half = f32x4.mul(x, f32x4.splat(0.5));
  return f32x4.add(half, f32x4.mul(half, erf4(f32x4.mul(x, f32x4.splat(rootHalf)))));
}

// @ts-ignore: decorator
@inline
function geluSlope4(x: v128): v128 {
  const cumulative = f32x4.mul(f32x4.splat(0.5), f32x4.add(f32x4.splat(1), erf4(f32x4.mul(x, f32x4.splat(rootHalf)))));
  const density = f32x4.mul(f32x4.splat(densityFactor), exp4(f32x4.mul(f32x4.splat(-0.5), f32x4.mul(x, x))));
  return f32x4.add(cumulative, f32x4.mul(x, density));
}

/** Computes the exact GELU, x Φ(x). */
export function gelu(x: usize, to: usize, count: i32, thread: i32, threads: i32): void {
  const end = <usize>partStart(count, 4, thread + 1, threads) << 2;
  let d = <usize>partStart(count, 4, thread, threads) << 2;
  for (; d + 16 <= end; d += 16) v128.store(to + d, gelu4(v128.load(x + d)));
  for (; d < end; d += 4) store<f32>(to + d, f32x4.extract_lane(gelu4(v128.load32_splat(x + d)), 0));
}

/** Computes the gradient of `gelu`. */
export function geluGradient(x: usize, dy: usize, dx: usize, count: i32, thread: i32, threads: i32): void {
  const end = <usize>partStart(count, 4, thread + 1, threads) << 2;
  let d = <usize>partStart(count, 4, thread, threads) << 2;
  for (; d + 16 <= end; d += 16) v128.store(dx + d, f32x4.mul(v128.load(dy + d), geluSlope4(v128.load(x + d))));
  for (; d < end; d += 4)
    store<f32>(dx + d, load<f32>(dy + d) * f32x4.extract_lane(geluSlope4(v128.load32_splat(x + d)), 0));
}

/**
 * Gathers rows: to[i] = x[indices[i]]; an index out of range gives zeros.
 * @param x `[rows, width]` of 4-byte numbers; indices: `[count]` 32-bit integers
 */
export function gatherRows(
  x: usize, indices: usize, to: usize,
  rows: i32, count: i32, width: i32,
  thread: i32, threads: i32,
): void {
  const bytes = <usize>width << 2;
  const end = partStart(count, 1, thread + 1, threads);
  for (let k = partStart(count, 1, thread, threads); k < end; k++) {
    const row = load<i32>(indices + (<usize>k << 2));
    if (row >= 0 && row < rows) memory.copy(to + <usize>k * bytes, x + <usize>row * bytes, bytes);
    else memory.fill(to + <usize>k * bytes, 0, bytes);
  }
}

/**
 * Adds rows by segment: to[segments[i]] += x[i]; segments out of range are skipped. Each thread handles some columns.
 * @param x `[count, width]` floats; segments: `[count]` 32-bit integers; to: `[rows, width]`
 */
export function segmentSum(
  x: usize, segments: usize, to: usize,
  count: i32, width: i32, rows: i32,
  thread: i32, threads: i32,
): void {
  const bytes = <usize>width << 2;
  const start = <usize>partStart(width, 4, thread, threads) << 2;
  const end = <usize>partStart(width, 4, thread + 1, threads) << 2;
  for (let k = 0; k < count; k++) {
    const row = load<i32>(segments + (<usize>k << 2));
    if (row < 0 || row >= rows) continue;
    const from = x + <usize>k * bytes;
    const out = to + <usize>row * bytes;
    let d = start;
    for (; d + 16 <= end; d += 16) v128.store(out + d, f32x4.add(v128.load(out + d), v128.load(from + d)));
    for (; d < end; d += 4) store<f32>(out + d, load<f32>(out + d) + load<f32>(from + d));
  }
}

/** Copies `row` to each row of `to`. */
export function fillRows(row: usize, to: usize, rows: i32, width: i32, thread: i32, threads: i32): void {
  const bytes = <usize>width << 2;
  const end = partStart(rows, 1, thread + 1, threads);
  for (let k = partStart(rows, 1, thread, threads); k < end; k++) memory.copy(to + <usize>k * bytes, row, bytes);
}

/** Computes x = max(x, 0) in place. */
export function relu(x: usize, count: i32, thread: i32, threads: i32): void {
  const end = <usize>partStart(count, 4, thread + 1, threads) << 2;
  let d = <usize>partStart(count, 4, thread, threads) << 2;
  for (; d + 16 <= end; d += 16) v128.store(x + d, f32x4.max(v128.load(x + d), f32x4.splat(0)));
  for (; d < end; d += 4) store<f32>(x + d, max<f32>(load<f32>(x + d), 0));
}

/** Computes the gradient of `relu` from its output y: dy where y > 0, otherwise 0. */
export function reluGradient(y: usize, dy: usize, to: usize, count: i32, thread: i32, threads: i32): void {
  const end = <usize>partStart(count, 4, thread + 1, threads) << 2;
  let d = <usize>partStart(count, 4, thread, threads) << 2;
  for (; d + 16 <= end; d += 16)
    v128.store(to + d, v128.and(v128.load(dy + d), f32x4.gt(v128.load(y + d), f32x4.splat(0))));
  for (; d < end; d += 4) store<f32>(to + d, load<f32>(y + d) > 0 ? load<f32>(dy + d) : 0);
}

/** Adds the sum of squares to the 64-bit float at `to`, on one thread only because the result depends on the order. */
export function addSquares(x: usize, count: i32, to: usize, thread: i32, threads: i32): void {
  if (thread > 0) return;
  const end = <usize>count << 2;
  let sum = f64x2.splat(0);
  let d: usize = 0;
  for (; d + 16 <= end; d += 16) {
    const four = v128.load(x + d);
    const low = f64x2.promote_low_f32x4(four);
    const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(four, four, 2, 3, 2, 3));
    sum = f64x2.add(sum, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
  }
  let all = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  for (; d < end; d += 4) {
    const value = <f64>load<f32>(x + d);
    all += value * value;
  }
  store<f64>(to, load<f64>(to) + all);
}
