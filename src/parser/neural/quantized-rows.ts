/** Rows of signed bytes, each row with its own scale: a quarter of the size of floats, and precise enough for word vectors. */
export interface QuantizedRows {
  readonly width: number;
  /** `[rows, width]` */
  readonly bytes: Int8Array;
  /** `[rows]`: the factor of each row's bytes. */
  readonly scales: Float32Array;
}

/** Quantizes `count` rows. @param row returns the values of a row, `[width]` */
export function quantizeRows(count: number, width: number, row: (index: number) => Float32Array): QuantizedRows {
  const bytes = new Int8Array(count * width);
  const scales = new Float32Array(count);
  for (let n = 0; n < count; n++) {
    const values = row(n);
    const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-9) / 127;
    scales[n] = scale;
    for (let k = 0; k < width; k++) bytes[n * width + k] = Math.round(values[k]! / scale);
  }
  return { width, bytes, scales };
}

/** Writes the values of a row to an array, from an offset on. */
export function readRow({ width, bytes, scales }: QuantizedRows, row: number, to: Float32Array, offset = 0): void {
  const scale = scales[row]!;
  for (let k = 0; k < width; k++) to[offset + k] = bytes[row * width + k]! * scale;
}
