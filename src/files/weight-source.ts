/** The number format of a stored array. Integers and booleans are counters and buffers that models here do not use. */
export type NumberType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U8' | 'BOOL';

/** The type and shape of a stored array. */
export interface WeightEntry {
  readonly type: NumberType;
  /** The shape in PyTorch's order of dimensions. */
  readonly shape: readonly number[];
}

/** The maximum number of axes of an array. */
export const MAX_AXES = 16;

/** A state dict, on disk or elsewhere, that is read array by array. */
export interface WeightSource {
  /** The name in error messages, usually a path. */
  readonly name: string;
  readonly entries: ReadonlyMap<string, WeightEntry>;
  /**
   * Reads an array.
   * @returns its numbers in row-major order; the caller may keep them
   */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Returns the number of elements of an array of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** The size of one number, in bytes. */
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
 * Converts little-endian numbers to 32-bit floats; integers beyond 2²⁴ are rounded to the nearest float.
 * @param bytes the bytes of at least `count` numbers
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

/** Converts a 16-bit IEEE 754 float (half precision). */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
