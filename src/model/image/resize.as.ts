// AssemblyScript, not TypeScript: `npm run build:kernels:image` compiles it to resize.wasm.
//
// The two passes of a resize, see resize.ts. Arguments are addresses and sizes; pixels have three bytes, in row-major order.
// The kernels read up to 15 bytes after the end of an input and ignore them, and write up to 15 bytes after the end of an
// output.
//
// `windows` is the table of ResizeWindows: first input cell, number of input cells and their weights of each output cell,
// `[cells, 2 + taps]` integers of four bytes.

/** Fractional bits of a weight. */
const PRECISION: i32 = 22;

/** Resizes rows: each output pixel is a weighted sum of pixels of its row. */
export function alongRows(
  from: usize, to: usize, windows: usize, taps: i32,
  rows: i32, width: i32, cells: i32,
): void {
  const step = <usize>(2 + taps) << 2;
  for (let row = 0; row < rows; row++) {
    const start = from + 3 * <usize>row * <usize>width;
    let window = windows;
    for (let cell = 0; cell < cells; cell++) {
      let pixel = start + 3 * <usize>load<i32>(window);
      let weight = window + 8;
      const end = weight + (<usize>load<i32>(window, 4) << 2);
      let sums = i32x4.splat(1 << (PRECISION - 1));
      for (; weight < end; weight += 4) {
        const channels = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(pixel)));
        sums = i32x4.add(sums, i32x4.mul(channels, v128.load32_splat(weight)));
        pixel += 3;
      }
      const shorts = i16x8.narrow_i32x4_s(i32x4.shr_s(sums, PRECISION), sums);
      // The fourth byte is not a channel; the next pixel overwrites it.
      v128.store32_lane(to, i8x16.narrow_i16x8_u(shorts, shorts), 0);
      to += 3;
      window += step;
    }
  }
}

/** Resizes columns: each output row is a weighted sum of input rows. `offset` is the index of the first row at `from`. */
export function alongColumns(
  from: usize, to: usize, windows: usize, taps: i32,
  stride: i32, cells: i32, offset: i32,
): void {
  const step = <usize>(2 + taps) << 2;
  for (let cell = 0; cell < cells; cell++) {
    const rows = from + <usize>(load<i32>(windows) - offset) * <usize>stride;
    const count = load<i32>(windows, 4);
    for (let x: usize = 0; x < <usize>stride; x += 16) {
      let a = i32x4.splat(1 << (PRECISION - 1));
      let b = a;
      let c = a;
      let d = a;
      let at = rows + x;
      let weight = windows + 8;
      for (let k = 0; k < count; k++) {
        const bytes = v128.load(at);
        const weights = v128.load32_splat(weight);
        const low = i16x8.extend_low_i8x16_u(bytes);
        const high = i16x8.extend_high_i8x16_u(bytes);
        a = i32x4.add(a, i32x4.mul(i32x4.extend_low_i16x8_u(low), weights));
        b = i32x4.add(b, i32x4.mul(i32x4.extend_high_i16x8_u(low), weights));
        c = i32x4.add(c, i32x4.mul(i32x4.extend_low_i16x8_u(high), weights));
        d = i32x4.add(d, i32x4.mul(i32x4.extend_high_i16x8_u(high), weights));
        at += <usize>stride;
        weight += 4;
      }
      const low = i16x8.narrow_i32x4_s(i32x4.shr_s(a, PRECISION), i32x4.shr_s(b, PRECISION));
      const high = i16x8.narrow_i32x4_s(i32x4.shr_s(c, PRECISION), i32x4.shr_s(d, PRECISION));
      // Bytes written after the end of a row are overwritten by the next row.
      v128.store(to + x, i8x16.narrow_i16x8_u(low, high));
    }
    to += <usize>stride;
    windows += step;
  }
}
