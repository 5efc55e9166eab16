/** Bits behind the point of a weight. */
const PRECISION = 22;

/** What each cell of an output is made of: some input cells one behind the other, and a weight for each. */
export class ResizeWindows {
  /** Input cells of an output cell at most. */
  readonly taps: number;
  /** Of each cell the first input cell, how many, and their weights, `[cells, 2 + taps]`. */
  readonly table: Int32Array;

  constructor(from: number, to: number) {
    const scale = from / to;
    // Where an image becomes smaller the filter becomes wider, so that nothing is skipped.
    const spread = Math.max(scale, 1);
    this.taps = Math.min(from, 2 * Math.ceil(spread) + 1);
    this.table = new Int32Array(to * (2 + this.taps));
    const triangle = new Float64Array(this.taps);
    for (let cell = 0; cell < to; cell++) {
      const centre = (cell + 0.5) * scale;
      const first = Math.max(0, Math.trunc(centre - spread + 0.5));
      const count = Math.min(from, Math.trunc(centre + spread + 0.5)) - first;
      let sum = 0;
      for (let k = 0; k < count; k++) {
        triangle[k] = Math.max(0, 1 - Math.abs((k + first - centre + 0.5) * (1 / spread)));
        sum += triangle[k]!;
      }
      const at = cell * (2 + this.taps);
      this.table[at] = first;
      this.table[at + 1] = count;
      for (let k = 0; k < count; k++)
        this.table[at + 2 + k] = Math.trunc(0.5 + (triangle[k]! / sum) * (1 << PRECISION));
    }
  }

  /** The first input cell of an output cell. */
  first(cell: number): number {
    return this.table[cell * (2 + this.taps)]!;
  }

  /** The input cell behind the last one of an output cell. */
  end(cell: number): number {
    return this.first(cell) + this.table[cell * (2 + this.taps) + 1]!;
  }

  /** Where in the table, in bytes, an output cell begins. */
  bytesBefore(cell: number): number {
    return cell * (2 + this.taps) * Int32Array.BYTES_PER_ELEMENT;
  }
}

/** Images of a data set have few sizes; the windows of the last ones are kept, unless they are uncommonly large. */
const MAX_CACHED = 64;
const MAX_CACHED_NUMBERS = 1 << 18;
const cache = new Map<string, ResizeWindows>();

/**
 * The windows of an antialiased bilinear filter from so many cells to so many.
 *
 * Source: Pillow, src/libImaging/Resample.c, `precompute_coeffs` and `normalize_coeffs_8bpc`.
 */
export function resizeWindows(from: number, to: number): ResizeWindows {
  const key = `${from} ${to}`;
  const known = cache.get(key);
  if (known) return known;
  const made = new ResizeWindows(from, to);
  if (made.table.length > MAX_CACHED_NUMBERS) return made;
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(key, made);
  return made;
}
