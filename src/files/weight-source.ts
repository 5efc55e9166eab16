/** The number format of a stored array. Integers and booleans are counters and buffers that models here do not use. */
export type NumberType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL';

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
  /** The fields of the file's header, such as those about its model; omitted if the format has none. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Sentences about what was chosen, skipped or renamed to read the file; omitted if there are none. */
  readonly notes?: readonly string[];
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
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
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
    case 'F8_E4M3':
      return map((k) => e4m3ToFloat(at.getUint8(k)));
    case 'F8_E5M2':
      // The upper half of a 16-bit float.
      return map((k) => halfToFloat(at.getUint8(k) << 8));
    case 'I64':
      return map((k) => Number(at.getBigInt64(k, true)));
    case 'I32':
      return map((k) => at.getInt32(k, true));
    case 'I16':
      return map((k) => at.getInt16(k, true));
    case 'I8':
      return map((k) => at.getInt8(k));
    case 'U64':
      return map((k) => Number(at.getBigUint64(k, true)));
    case 'U32':
      return map((k) => at.getUint32(k, true));
    case 'U16':
      return map((k) => at.getUint16(k, true));
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

/** Converts an 8-bit float with 4 bits of exponent and 3 of fraction, without infinity (`float8_e4m3fn`). */
function e4m3ToFloat(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >> 3) & 15;
  const fraction = bits & 7;
  if (exponent === 15 && fraction === 7) return Number.NaN;
  return exponent === 0 ? (sign * fraction * 2 ** -6) / 8 : sign * (1 + fraction / 8) * 2 ** (exponent - 7);
}
