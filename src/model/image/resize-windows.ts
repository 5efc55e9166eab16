/** Fractional bits of a weight. */
const PRECISION = 22;

/** Filter windows of a resize along one axis: for each output cell, a range of input cells and their weights. */
export class ResizeWindows {
  /** Maximum number of input cells per output cell. */
  readonly taps: number;
  /** First input cell, number of input cells and their weights of each output cell, `[cells, 2 + taps]`. */
  readonly table: Int32Array;

  constructor(from: number, to: number) {
    const scale = from / to;
    // When an image shrinks, the filter widens so that no input cell is skipped.
    const spread = Math.max(scale, 1);
    this.taps = Math.min(from, 2 * Math.ceil(spread) + 1);
    this.table = new Int32Array(to * (2 + this.taps));
    const triangle = new Float64Array(this.taps);
    for (let cell = 0; cell < to; cell++) {
      const center = (cell + 0.5) * scale;
      const first = Math.max(0, Math.trunc(center - spread + 0.5));
      const count = Math.min(from, Math.trunc(center + spread + 0.5)) - first;
      let sum = 0;
      for (let k = 0; k < count; k++) {
        triangle[k] = Math.max(0, 1 - Math.abs((k + first - center + 0.5) * (1 / spread)));
        sum += triangle[k]!;
      }
      const at = cell * (2 + this.taps);
      this.table[at] = first;
      this.table[at + 1] = count;
      for (let k = 0; k < count; k++)
        this.table[at + 2 + k] = Math.trunc(0.5 + (triangle[k]! / sum) * (1 << PRECISION));
    }
  }

  /** Returns the first input cell of an output cell. */
  first(cell: number): number {
    return this.table[cell * (2 + this.taps)]!;
  }

  /** Returns the end of the input range of an output cell, exclusive. */
  end(cell: number): number {
    return this.first(cell) + this.table[cell * (2 + this.taps) + 1]!;
  }

  /** Returns the byte offset of an output cell in the table. */
  bytesBefore(cell: number): number {
    return cell * (2 + this.taps) * Int32Array.BYTES_PER_ELEMENT;
  }
}

/** Most entries in the cache. Images of a data set have few sizes. */
const MAX_CACHED = 64;
/** Larger tables are not cached. */
const MAX_CACHED_NUMBERS = 1 << 18;
const cache = new Map<string, ResizeWindows>();

/**
 * Returns the windows of an antialiased bilinear filter that resizes `from` cells to `to` cells.
 *
 * Source: Pillow, src/libImaging/Resample.c, `precompute_coeffs` and `normalize_coeffs_8bpc`.
 */
export function resizeWindows(from: number, to: number): ResizeWindows {
  const key = `${from} ${to}`;
  const cached = cache.get(key);
  if (cached) return cached;
  const windows = new ResizeWindows(from, to);
  if (windows.table.length > MAX_CACHED_NUMBERS) return windows;
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(key, windows);
  return windows;
}
