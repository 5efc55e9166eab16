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
    // Four rows by eight columns stay in registers, which is what the engine has.
    for (; i + 4 <= m; i += 4) {
      const c0 = c + (<usize>i) * rowBytes + columnBytes;
      const c1 = c0 + rowBytes;
      const c2 = c1 + rowBytes;
      const c3 = c2 + rowBytes;
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
      let a2 = a1 + aRowBytes;
      let a3 = a2 + aRowBytes;
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
