// AssemblyScript, not TypeScript: see model-kernels.as.ts.
import { partStart } from './gemm.as';

/**
 * Copies the windows of a convolution to rows (im2col), with zeros outside the image. Each thread writes some output rows.
 * @param x `[batch, height, width, channels]`
 * @param to `[batch, outHeight, outWidth, down, right, channels]`
 * @param down height of a window; right: its width
 * @param top rows of padding above the image; left: columns of padding on its left
 */
export function imageToColumns(
  x: usize, to: usize,
  batch: i32, height: i32, width: i32, channels: i32,
  outHeight: i32, outWidth: i32,
  down: i32, right: i32, stride: i32, top: i32, left: i32,
  thread: i32, threads: i32,
): void {
  const bytes = <usize>channels << 2;
  const end = partStart(batch * outHeight, 1, thread + 1, threads);
  for (let line = partStart(batch * outHeight, 1, thread, threads); line < end; line++) {
    const image = line / outHeight;
    const y = (line - image * outHeight) * stride - top;
    let out = to + <usize>(line * outWidth * down * right) * bytes;
    for (let column = 0; column < outWidth; column++) {
      const start = column * stride - left;
      const from = max(0, start);
      const until = min(width, start + right);
      for (let tap = 0; tap < down; tap++) {
        const row = y + tap;
        if (row < 0 || row >= height || until <= from) memory.fill(out, 0, <usize>right * bytes);
        else {
          const before = <usize>(from - start) * bytes;
          const inside = <usize>(until - from) * bytes;
          if (before > 0) memory.fill(out, 0, before);
          memory.copy(out + before, x + <usize>((image * height + row) * width + from) * bytes, inside);
          const rest = <usize>right * bytes - before - inside;
          if (rest > 0) memory.fill(out + before + inside, 0, rest);
        }
        out += <usize>right * bytes;
      }
    }
  }
}

/**
 * Adds rows of windows back to their pixels: the gradient of `imageToColumns` (col2im) for one image. Each thread handles some
 * channels, so each sum has the same order for every number of threads.
 * @param columns windows of output rows `first` to `first + outHeight − 1`
 * @param to `[height, width, channels]`, which the kernel adds to
 */
export function columnsToImage(
  columns: usize, to: usize,
  height: i32, width: i32, channels: i32,
  first: i32, outHeight: i32, outWidth: i32,
  down: i32, right: i32, stride: i32, top: i32, left: i32,
  thread: i32, threads: i32,
): void {
  const bytes = <usize>channels << 2;
  const begin = <usize>partStart(channels, 4, thread, threads) << 2;
  const end = <usize>partStart(channels, 4, thread + 1, threads) << 2;
  if (begin >= end) return;
  let from = columns;
  for (let line = first; line < first + outHeight; line++)
    for (let column = 0; column < outWidth; column++)
      for (let tapY = 0; tapY < down; tapY++) {
        const row = line * stride - top + tapY;
        for (let tapX = 0; tapX < right; tapX++, from += bytes) {
          const x = column * stride - left + tapX;
          if (row < 0 || row >= height || x < 0 || x >= width) continue;
          const out = to + <usize>(row * width + x) * bytes;
          let d = begin;
          for (; d + 16 <= end; d += 16) v128.store(out + d, f32x4.add(v128.load(out + d), v128.load(from + d)));
          for (; d < end; d += 4) store<f32>(out + d, load<f32>(out + d) + load<f32>(from + d));
        }
      }
}
