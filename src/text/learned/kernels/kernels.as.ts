// AssemblyScript, not TypeScript: `npm run build:kernels` makes gemm.wasm of it.

/**
 * c += a · b, on matrices of 32-bit floats in linear memory.
 * @param m rows of a and c
 * @param n columns of b and c, a multiple of 8; both lie row by row without gaps
 * @param k columns of a, rows of b
 * @param a address of a, whose element (i, p) lies at `a + 4 (i aRow + p aColumn)`: a transposed matrix costs nothing
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
): void {
  const rowBytes = (<usize>n) << 2;
  const aRowBytes = (<usize>aRow) << 2;
  const aColumnBytes = (<usize>aColumn) << 2;
  for (let j = 0; j < n; j += 8) {
    const columnBytes = (<usize>j) << 2;
    let i = 0;
    // Four rows by eight columns stay in registers, which is what the engine has. Where two or three rows are left, the last
    // one is computed again in place of the fourth, which is still faster than one by one.
    for (; i + 1 < m; i += 4) {
      const c0 = c + (<usize>i) * rowBytes + columnBytes;
      const c1 = c0 + rowBytes;
      const c2 = i + 2 < m ? c1 + rowBytes : c1;
      const c3 = i + 3 < m ? c2 + rowBytes : c2;
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
      let row = b + columnBytes;
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
        row += rowBytes;
      }
      v128.store(c0, s00);
      v128.store(c0, s01, 16);
      v128.store(c1, s10);
      v128.store(c1, s11, 16);
      v128.store(c2, s20);
      v128.store(c2, s21, 16);
      v128.store(c3, s30);
      v128.store(c3, s31, 16);
    }
    for (; i < m; i++) {
      const c0 = c + (<usize>i) * rowBytes + columnBytes;
      let s0 = v128.load(c0);
      let s1 = v128.load(c0, 16);
      let at = a + (<usize>i) * aRowBytes;
      let row = b + columnBytes;
      for (let p = 0; p < k; p++) {
        const x = v128.load32_splat(at);
        s0 = f32x4.add(s0, f32x4.mul(x, v128.load(row)));
        s1 = f32x4.add(s1, f32x4.mul(x, v128.load(row, 16)));
        at += aColumnBytes;
        row += rowBytes;
      }
      v128.store(c0, s0);
      v128.store(c0, s1, 16);
    }
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

/** a += b c, element by element. @param length a multiple of 4 */
export function addProduct(a: usize, b: usize, c: usize, length: i32): void {
  const end = a + ((<usize>length) << 2);
  for (; a < end; a += 16, b += 16, c += 16)
    v128.store(a, f32x4.add(v128.load(a), f32x4.mul(v128.load(b), v128.load(c))));
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

/**
 * to = the largest of some rows, element by element, and of `least`.
 * @param rows, width a multiple of 4
 */
export function largest(to: usize, rows: usize, count: i32, width: i32, least: f32): void {
  const bytes = (<usize>width) << 2;
  const floor = f32x4.splat(least);
  for (let k: usize = 0; k < bytes; k += 16) {
    let most = floor;
    let at = rows + k;
    for (let n = 0; n < count; n++) {
      most = f32x4.max(most, v128.load(at));
      at += bytes;
    }
    v128.store(to + k, most);
  }
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
