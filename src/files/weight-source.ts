/** How an array's numbers are stored. Integers and booleans are counters and buffers that no model here needs. */
export type NumberType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U8' | 'BOOL';

export interface WeightEntry {
  readonly type: NumberType;
  /** PyTorch's shape. */
  readonly shape: readonly number[];
}

/** A state dict on disk or anywhere else, read array by array. */
export interface WeightSource {
  /** What messages call it. */
  readonly name: string;
  readonly entries: ReadonlyMap<string, WeightEntry>;
  /** @returns the array's numbers, row by row; the caller may keep them */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Bytes of one number. */
export const numberBytes: Readonly<Record<NumberType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/**
 * Little-endian numbers as floats. Of integers beyond 2²⁴ the nearest float is returned.
 * @param bytes as many as `count` numbers take
 */
export function toFloats(bytes: Uint8Array, type: NumberType, count: number): Float32Array {
  const at = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const map = (read: (offset: number) => number) =>
    Float32Array.from({ length: count }, (_, k) => read(k * numberBytes[type]));
  switch (type) {
    case 'F32': {
      const copy = new Float32Array(count);
      new Uint8Array(copy.buffer).set(bytes.subarray(0, 4 * count));
      return copy;
    }
    case 'F64':
      return map((k) => at.getFloat64(k, true));
    case 'F16':
      return map((k) => halfToFloat(at.getUint16(k, true)));
    case 'BF16': {
      const bits = new Uint32Array(count);
      for (let k = 0; k < count; k++) bits[k] = at.getUint16(2 * k, true) << 16;
      return new Float32Array(bits.buffer);
    }
    case 'I64':
      return map((k) => Number(at.getBigInt64(k, true)));
    case 'I32':
      return map((k) => at.getInt32(k, true));
    case 'I16':
      return map((k) => at.getInt16(k, true));
    case 'I8':
      return map((k) => at.getInt8(k));
    case 'U8':
    case 'BOOL':
      return map((k) => at.getUint8(k));
  }
}

/** IEEE 754 half precision. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
