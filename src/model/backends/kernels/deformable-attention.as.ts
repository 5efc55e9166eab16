// AssemblyScript, not TypeScript: see model-kernels.as.ts.
import { partStart } from './gemm.as';

/** to += weight · from */
// @ts-ignore: decorator
@inline
function addScaled(to: usize, from: usize, weight: f32, bytes: usize): void {
  const w = f32x4.splat(weight);
  let d: usize = 0;
  for (; d + 16 <= bytes; d += 16) v128.store(to + d, f32x4.add(v128.load(to + d), f32x4.mul(w, v128.load(from + d))));
  for (; d < bytes; d += 4) store<f32>(to + d, load<f32>(to + d) + weight * load<f32>(from + d));
}

/**
 * Converts a coordinate in [0, 1] to cells, measured from the center of the first cell. The steps follow the official code,
 * which maps to [−1, 1] and rounds product and difference together: a point on a cell's border must round to the same side,
 * because the gradient jumps there.
 * Source: PyTorch, `grid_sample` with `align_corners=False` on a processor with fused multiply-add.
 */
// @ts-ignore: decorator
@inline
function toCells(coordinate: f32, count: i32): f32 {
  const scaled: f32 = <f32>2 * coordinate - <f32>1;
  // The product is exact in double precision.
  return <f32>(<f64>(scaled + <f32>1) * (<f64>count * 0.5) - 0.5);
}

/**
 * Computes multi-scale deformable attention as defined in ops/deformable-attention.ts.
 * @param value `[batch, tokens, heads, width]`
 * @param sizes `[levels, 2]`, height and width as 32-bit integers
 * @param locations `[batch, queries, heads, levels, points, 2]`, x and y in [0, 1]
 * @param weights `[batch, queries, heads, levels, points]`
 * @param to `[batch, queries, heads, width]`
 */
export function deformableAttention(
  value: usize, sizes: usize, locations: usize, weights: usize, to: usize,
  batch: i32, tokens: i32, queries: i32, heads: i32, levels: i32, points: i32, width: i32,
  thread: i32, threads: i32,
): void {
  const bytes = <usize>width << 2;
  const tokenBytes = <usize>heads * bytes;
  const end = partStart(batch * queries, 1, thread + 1, threads);
  for (let q = partStart(batch * queries, 1, thread, threads); q < end; q++) {
    const image = value + <usize>(q / queries) * <usize>tokens * tokenBytes;
    for (let head = 0; head < heads; head++) {
      const out = to + <usize>(q * heads + head) * bytes;
      memory.fill(out, 0, bytes);
      let sample = <usize>(q * heads + head) * <usize>(levels * points);
      let level = image + <usize>head * bytes;
      for (let l = 0; l < levels; l++) {
        const height = load<i32>(sizes + (<usize>l << 3));
        const columns = load<i32>(sizes + (<usize>l << 3), 4);
        for (let p = 0; p < points; p++, sample++) {
          const x = toCells(load<f32>(locations + (sample << 3)), columns);
          const y = toCells(load<f32>(locations + (sample << 3), 4), height);
          if (!(x > -1 && y > -1 && x < <f32>columns && y < <f32>height)) continue;
          const weight = load<f32>(weights + (sample << 2));
          const left = Mathf.floor(x);
          const top = Mathf.floor(y);
          const fx = x - left;
          const fy = y - top;
          const gx: f32 = <f32>1 - fx;
          const gy: f32 = <f32>1 - fy;
          const column = <i32>left;
          const row = <i32>top;
          const w00 = gx * gy * weight, w01 = fx * gy * weight, w10 = gx * fy * weight, w11 = fx * fy * weight;
          const cell0 = level + <usize>(row * columns + column) * tokenBytes;
          const cell1 = cell0 + <usize>columns * tokenBytes;
          const inLeft = column >= 0, inRight = column + 1 < columns, inTop = row >= 0, inBelow = row + 1 < height;
          if (inLeft && inRight && inTop && inBelow) {
            const v00 = f32x4.splat(w00), v01 = f32x4.splat(w01), v10 = f32x4.splat(w10), v11 = f32x4.splat(w11);
            let d: usize = 0;
            for (; d + 16 <= bytes; d += 16) {
              let sum = v128.load(out + d);
              sum = f32x4.add(sum, f32x4.mul(v00, v128.load(cell0 + d)));
              sum = f32x4.add(sum, f32x4.mul(v01, v128.load(cell0 + tokenBytes + d)));
              sum = f32x4.add(sum, f32x4.mul(v10, v128.load(cell1 + d)));
              sum = f32x4.add(sum, f32x4.mul(v11, v128.load(cell1 + tokenBytes + d)));
              v128.store(out + d, sum);
            }
            for (; d < bytes; d += 4)
              store<f32>(out + d, load<f32>(out + d) + w00 * load<f32>(cell0 + d) + w01 * load<f32>(cell0 + tokenBytes + d) +
                w10 * load<f32>(cell1 + d) + w11 * load<f32>(cell1 + tokenBytes + d));
          } else {
            if (inTop && inLeft) addScaled(out, cell0, w00, bytes);
            if (inTop && inRight) addScaled(out, cell0 + tokenBytes, w01, bytes);
            if (inBelow && inLeft) addScaled(out, cell1, w10, bytes);
            if (inBelow && inRight) addScaled(out, cell1 + tokenBytes, w11, bytes);
          }
        }
        level += <usize>(height * columns) * tokenBytes;
      }
    }
  }
}

/** Returns dy · value of one corner, and adds weight · dy to the gradient of value. */
// @ts-ignore: decorator
@inline
function corner(dy: usize, value: usize, dValue: usize, weight: f32, bytes: usize): f32 {
  const w = f32x4.splat(weight);
  let sums = f32x4.splat(0);
  let d: usize = 0;
  for (; d + 16 <= bytes; d += 16) {
    const g = v128.load(dy + d);
    sums = f32x4.add(sums, f32x4.mul(g, v128.load(value + d)));
    v128.store(dValue + d, f32x4.add(v128.load(dValue + d), f32x4.mul(w, g)));
  }
  let sum = f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1) + f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3);
  for (; d < bytes; d += 4) {
    const g = load<f32>(dy + d);
    sum += g * load<f32>(value + d);
    store<f32>(dValue + d, load<f32>(dValue + d) + weight * g);
  }
  return sum;
}

/**
 * Computes the gradients of `deformableAttention`. Each thread handles some heads of some images, so no two write to the same
 * place. Gradients have the shapes of their inputs.
 * @param dValue zeros, which the kernel adds to
 */
export function deformableAttentionGradient(
  value: usize, sizes: usize, locations: usize, weights: usize, dy: usize, dValue: usize, dLocations: usize, dWeights: usize,
  batch: i32, tokens: i32, queries: i32, heads: i32, levels: i32, points: i32, width: i32,
  thread: i32, threads: i32,
): void {
  const bytes = <usize>width << 2;
  const tokenBytes = <usize>heads * bytes;
  const toGradient = dValue - value;
  const end = partStart(batch * heads, 1, thread + 1, threads);
  for (let unit = partStart(batch * heads, 1, thread, threads); unit < end; unit++) {
    const image = unit / heads;
    const head = unit % heads;
    const first = value + <usize>image * <usize>tokens * tokenBytes + <usize>head * bytes;
    for (let q = image * queries; q < (image + 1) * queries; q++) {
      const out = dy + <usize>(q * heads + head) * bytes;
      let sample = <usize>(q * heads + head) * <usize>(levels * points);
      let level = first;
      for (let l = 0; l < levels; l++) {
        const height = load<i32>(sizes + (<usize>l << 3));
        const columns = load<i32>(sizes + (<usize>l << 3), 4);
        for (let p = 0; p < points; p++, sample++) {
          const x = toCells(load<f32>(locations + (sample << 3)), columns);
          const y = toCells(load<f32>(locations + (sample << 3), 4), height);
          let dWeight: f32 = 0, dx: f32 = 0, dyy: f32 = 0;
          if (x > -1 && y > -1 && x < <f32>columns && y < <f32>height) {
            const weight = load<f32>(weights + (sample << 2));
            const left = Mathf.floor(x);
            const top = Mathf.floor(y);
            const fx = x - left;
            const fy = y - top;
            const gx: f32 = <f32>1 - fx;
            const gy: f32 = <f32>1 - fy;
            const column = <i32>left;
            const row = <i32>top;
            const cell0 = level + <usize>(row * columns + column) * tokenBytes;
            const cell1 = cell0 + <usize>columns * tokenBytes;
            const inLeft = column >= 0, inRight = column + 1 < columns, inTop = row >= 0, inBelow = row + 1 < height;
            let d00: f32 = 0, d01: f32 = 0, d10: f32 = 0, d11: f32 = 0;
            if (inTop && inLeft) d00 = corner(out, cell0, cell0 + toGradient, gx * gy * weight, bytes);
            if (inTop && inRight) d01 = corner(out, cell0 + tokenBytes, cell0 + tokenBytes + toGradient, fx * gy * weight, bytes);
            if (inBelow && inLeft) d10 = corner(out, cell1, cell1 + toGradient, gx * fy * weight, bytes);
            if (inBelow && inRight) d11 = corner(out, cell1 + tokenBytes, cell1 + tokenBytes + toGradient, fx * fy * weight, bytes);
            dWeight = gx * gy * d00 + fx * gy * d01 + gx * fy * d10 + fx * fy * d11;
            dx = weight * <f32>columns * (gy * (d01 - d00) + fy * (d11 - d10));
            dyy = weight * <f32>height * (gx * (d10 - d00) + fx * (d11 - d01));
          }
          store<f32>(dWeights + (sample << 2), dWeight);
          store<f32>(dLocations + (sample << 3), dx);
          store<f32>(dLocations + (sample << 3), dyy, 4);
        }
        level += <usize>(height * columns) * tokenBytes;
      }
    }
  }
}
