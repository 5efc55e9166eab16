// AssemblyScript, not TypeScript: see model-kernels.as.ts.
// The parser has a product of its own, which says why: src/parser/neural/kernels/matrices.as.ts.

/**
 * Rows and columns of the tile of c that the inner loop computes in registers: 8 sums. V8 keeps at most 15 vectors in registers,
 * and with 9 sums or more it moves some to memory in every step, which halves the speed (tile 6 × 8: 31 GFLOP/s, 2 × 16: 55).
 */
const MR: i32 = 2;
const NR: i32 = 16;
/** Number of rows of c up to which packing b would cost as much as the product. */
const FEW: i32 = 24;
/** Block sizes: a block of a and a block of b fit together into the second-level cache. */
const KC: i32 = 256;
const MC: i32 = 96;
const NC: i32 = 256;
/**
 * Number of products that are summed before they are added to the running sum, which keeps rounding errors small: they grow
 * with the number of consecutive additions. The sums of `KC` products are added to c together. The last digits that these lengths
 * change decide on which side of a kink a model's units lie compared with the official numbers; see docs/model.md, parity.
 */
const RUN: i32 = 128;

/** Returns the scratch memory per thread, in floats: a block of a, a block of b, a tile of c. */
export function gemmScratch(): i32 {
  return KC * MC + KC * NC + MR * NR;
}

/** Returns the start of a thread's part of [0, count), a multiple of `unit`; the part ends where the next thread's starts. */
// @ts-ignore: decorator
@inline
export function partStart(count: i32, unit: i32, thread: i32, threads: i32): i32 {
  const units = (count + unit - 1) / unit;
  const at = <i32>((<i64>units * <i64>thread) / <i64>threads) * unit;
  return min(at, count);
}

/**
 * Computes c = a · b, or c += a · b, for each matrix of a batch of 32-bit floats.
 * Element (i, p) of a is at `a + 4 (i aRow + p aColumn)`, so a transposed matrix costs nothing; b likewise. c is contiguous.
 * Each element of c is summed in the same order for every number of threads, and for every m and n.
 * @param a `[m, k]`; b: `[k, n]`; c: `[m, n]`
 * @param aBatch floats from one a to the next, 0 if all share one; bBatch likewise
 * @param add 1 to add to c, 0 to overwrite it
 * @param scratch `gemmScratch()` floats per thread
 */
export function matmul(
  batch: i32, m: i32, n: i32, k: i32,
  a: usize, aBatch: i32, aRow: i32, aColumn: i32,
  b: usize, bBatch: i32, bRow: i32, bColumn: i32,
  c: usize, add: i32, scratch: usize,
  thread: i32, threads: i32,
): void {
  const threadScratch = scratch + ((<usize>thread * <usize>gemmScratch()) << 2);
  if (batch >= threads) {
    const end = partStart(batch, 1, thread + 1, threads);
    for (let t = partStart(batch, 1, thread, threads); t < end; t++)
      gemm(m, n, k, a + ((<usize>t * <usize>aBatch) << 2), aRow, aColumn, b + ((<usize>t * <usize>bBatch) << 2), bRow, bColumn,
        c + ((<usize>t * <usize>m * <usize>n) << 2), n, add, threadScratch);
    return;
  }
  // Fewer matrices than threads: split each along its longer side.
  const byRows = m >= n;
  const start = byRows ? partStart(m, MR, thread, threads) : partStart(n, NR, thread, threads);
  const end = byRows ? partStart(m, MR, thread + 1, threads) : partStart(n, NR, thread + 1, threads);
  if (start >= end) return;
  for (let t = 0; t < batch; t++) {
    const at = a + ((<usize>t * <usize>aBatch) << 2);
    const bt = b + ((<usize>t * <usize>bBatch) << 2);
    const ct = c + ((<usize>t * <usize>m * <usize>n) << 2);
    if (byRows)
      gemm(end - start, n, k, at + ((<usize>start * <usize>aRow) << 2), aRow, aColumn, bt, bRow, bColumn,
        ct + ((<usize>start * <usize>n) << 2), n, add, threadScratch);
    else
      gemm(m, end - start, k, at, aRow, aColumn, bt + ((<usize>start * <usize>bColumn) << 2), bRow, bColumn,
        ct + ((<usize>start) << 2), n, add, threadScratch);
  }
}

/** Multiplies one pair of matrices on one thread. @param ldc floats from one row of c to the next */
export function gemm(
  m: i32, n: i32, k: i32,
  a: usize, aRow: i32, aColumn: i32,
  b: usize, bRow: i32, bColumn: i32,
  c: usize, ldc: i32, add: i32, scratch: usize,
): void {
  const packedA = scratch;
  const packedB = packedA + (<usize>(KC * MC) << 2);
  const tile = packedB + (<usize>(KC * NC) << 2);
  if (k == 0 && !add) {
    for (let i = 0; i < m; i++) memory.fill(c + ((<usize>i * <usize>ldc) << 2), 0, <usize>n << 2);
    return;
  }
  for (let j0 = 0; j0 < n; j0 += NC) {
    const nc = min(NC, n - j0);
    for (let p0 = 0; p0 < k; p0 += KC) {
      const kc = min(KC, k - p0);
      const keep = add != 0 || p0 > 0;
      const blockB = b + ((<usize>p0 * <usize>bRow + <usize>j0 * <usize>bColumn) << 2);
      const packed = !(bColumn == 1 && m <= FEW);
      const direct = packed ? 0 : nc - (nc % NR);
      packPanels(blockB + ((<usize>direct * <usize>bColumn) << 2), bRow, bColumn, kc, nc - direct, NR,
        packedB + ((<usize>direct * <usize>kc) << 2));
      for (let i0 = 0; i0 < m; i0 += MC) {
        const mc = min(MC, m - i0);
        packPanels(a + ((<usize>i0 * <usize>aRow + <usize>p0 * <usize>aColumn) << 2), aColumn, aRow, kc, mc, MR, packedA);
        for (let j = 0; j < nc; j += NR) {
          const inPlace = j < direct;
          const panelB = inPlace ? blockB + (<usize>j << 2) : packedB + ((<usize>j * <usize>kc) << 2);
          const stepB = <usize>(inPlace ? bRow : NR) << 2;
          for (let i = 0; i < mc; i += MR) {
            const panelA = packedA + ((<usize>i * <usize>kc) << 2);
            const to = c + ((<usize>(i0 + i) * <usize>ldc + <usize>(j0 + j)) << 2);
            multiplyRuns(kc, panelA, panelB, stepB, tile);
            putTile(tile, to, <usize>ldc << 2, min(MR, mc - i), min(NR, nc - j), keep);
          }
        }
      }
    }
  }
}

/**
 * Packs `count` lines of `k` floats into panels of `unit` lines, interleaved by element; the last panel is padded with zeros.
 * @param along floats from one element of a line to the next; across: from one line to the next
 */
function packPanels(from: usize, along: i32, across: i32, k: i32, count: i32, unit: i32, to: usize): void {
  const step = <usize>along << 2;
  const side = <usize>across << 2;
  for (let j = 0; j < count; j += unit) {
    const width = min(unit, count - j);
    const source = from + <usize>j * side;
    if (width == unit && across == 1 && unit == NR) {
      let at = source;
      for (let p = 0; p < k; p++) {
        v128.store(to, v128.load(at));
        v128.store(to, v128.load(at, 16), 16);
        v128.store(to, v128.load(at, 32), 32);
        v128.store(to, v128.load(at, 48), 48);
        to += NR << 2;
        at += step;
      }
    } else if (along == 1) {
      // Elements of a line are contiguous but lines are far apart, so read line by line.
      const row = <usize>unit << 2;
      for (let x = 0; x < unit; x++) {
        let target = to + (<usize>x << 2);
        if (x < width) {
          let at = source + <usize>x * side;
          for (let p = 0; p < k; p++) {
            store<f32>(target, load<f32>(at));
            target += row;
            at += 4;
          }
        } else
          for (let p = 0; p < k; p++) {
            store<f32>(target, 0);
            target += row;
          }
      }
      to += <usize>k * row;
    } else {
      let at = source;
      for (let p = 0; p < k; p++) {
        for (let x = 0; x < width; x++) store<f32>(to + (<usize>x << 2), load<f32>(at + <usize>x * side));
        for (let x = width; x < unit; x++) store<f32>(to + (<usize>x << 2), 0);
        to += <usize>unit << 2;
        at += step;
      }
    }
  }
}

/** Stores 4 floats, or adds them if `keep`. */
// @ts-ignore: decorator
@inline
function put(to: usize, sums: v128, keep: bool): void {
  v128.store(to, keep ? f32x4.add(v128.load(to), sums) : sums);
}

/** Stores a tile of c, or adds it if `keep`. @param row bytes from one row of c to the next */
// @ts-ignore: decorator
@inline
function putTile(tile: usize, to: usize, row: usize, rows: i32, columns: i32, keep: bool): void {
  for (let y = 0; y < rows; y++) {
    if (columns == NR) for (let x: usize = 0; x < <usize>(NR << 2); x += 16) put(to + x, v128.load(tile + x), keep);
    else
      for (let x: usize = 0; x < <usize>columns << 2; x += 4) {
        const sum = load<f32>(tile + x);
        store<f32>(to + x, keep ? load<f32>(to + x) + sum : sum);
      }
    tile += NR << 2;
    to += row;
  }
}

/** Computes a tile of c, `RUN` products at a time. */
// @ts-ignore: decorator
@inline
function multiplyRuns(k: i32, a: usize, b: usize, stepB: usize, tile: usize): void {
  for (let p = 0; p < k; p += RUN) {
    const run = min(RUN, k - p);
    multiplyTile(run, a, b, stepB, tile, p > 0);
    a += <usize>run * (MR << 2);
    b += <usize>run * stepB;
  }
}

/** Computes a tile of c from `k` products. */
function multiplyTile(k: i32, a: usize, b: usize, stepB: usize, tile: usize, keep: bool): void {
  let c00 = f32x4.splat(0), c01 = c00, c02 = c00, c03 = c00;
  let c10 = c00, c11 = c00, c12 = c00, c13 = c00;
  for (let p = 0; p < k; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    let x = v128.load32_splat(a);
    c00 = f32x4.add(c00, f32x4.mul(x, b0));
    c01 = f32x4.add(c01, f32x4.mul(x, b1));
    c02 = f32x4.add(c02, f32x4.mul(x, b2));
    c03 = f32x4.add(c03, f32x4.mul(x, b3));
    x = v128.load32_splat(a, 4);
    c10 = f32x4.add(c10, f32x4.mul(x, b0));
    c11 = f32x4.add(c11, f32x4.mul(x, b1));
    c12 = f32x4.add(c12, f32x4.mul(x, b2));
    c13 = f32x4.add(c13, f32x4.mul(x, b3));
    a += MR << 2;
    b += stepB;
  }
  put(tile, c00, keep);
  put(tile + 16, c01, keep);
  put(tile + 32, c02, keep);
  put(tile + 48, c03, keep);
  put(tile + 64, c10, keep);
  put(tile + 80, c11, keep);
  put(tile + 96, c12, keep);
  put(tile + 112, c13, keep);
}

/**
 * Computes the gradient of a convolution's filter, without padding and dilation: for each tap, the product of the image's
 * rows with the gradient's.
 * @param x `[batch, height, width, inputs]`
 * @param dy `[batch, outHeight, outWidth, outputs]`
 * @param dw `[down, right, inputs, outputs]`
 * @param scratch `gemmScratch()` floats per thread
 */
export function filterGradient(
  x: usize, dy: usize, dw: usize,
  batch: i32, height: i32, width: i32, inputs: i32,
  outHeight: i32, outWidth: i32, outputs: i32,
  down: i32, right: i32, stride: i32, scratch: usize,
  thread: i32, threads: i32,
): void {
  const threadScratch = scratch + ((<usize>thread * <usize>gemmScratch()) << 2);
  // Each thread handles some input channels of every tap.
  const start = partStart(inputs, MR, thread, threads);
  const end = partStart(inputs, MR, thread + 1, threads);
  if (start >= end) return;
  const isPointwise = down == 1 && right == 1 && stride == 1;
  for (let tapY = 0; tapY < down; tapY++)
    for (let tapX = 0; tapX < right; tapX++) {
      const to = dw + ((<usize>((tapY * right + tapX) * inputs + start) * <usize>outputs) << 2);
      if (isPointwise) {
        gemm(end - start, outputs, batch * height * width, x + ((<usize>start) << 2), 1, inputs, dy, outputs, 1, to, outputs, 0, threadScratch);
        continue;
      }
      let add = 0;
      for (let image = 0; image < batch; image++)
        for (let row = 0; row < outHeight; row++) {
          const pixel = (<usize>(image * height + row * stride + tapY) * <usize>width + <usize>tapX) * <usize>inputs + <usize>start;
          const out = <usize>(image * outHeight + row) * <usize>outWidth * <usize>outputs;
          gemm(end - start, outputs, outWidth, x + (pixel << 2), 1, stride * inputs, dy + (out << 2), outputs, 1, to, outputs, add, threadScratch);
          add = 1;
        }
    }
}
