import { InputError } from '../../errors.js';

/** Maximum length of an integer in bytes; those of checkpoints are counters of at most 8. */
const MAX_LONG = 256;

/** Sequential reader of the bytes of a pickle. Every read checks that it does not go beyond the end. */
export class PickleBytes {
  readonly path: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(path: string, bytes: Uint8Array) {
    this.path = path;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#at;
  }

  /** @throws InputError if the pickle ends before */
  skip(bytes: number): void {
    this.#at += bytes;
    if (this.#at > this.#bytes.length) throw this.broken('ends too early');
  }

  /** Reads an unsigned little-endian integer of 1, 2 or 4 bytes. */
  unsigned(bytes: 1 | 2 | 4): number {
    this.skip(bytes);
    const at = this.#at - bytes;
    return bytes === 1
      ? this.#view.getUint8(at)
      : bytes === 2
        ? this.#view.getUint16(at, true)
        : this.#view.getUint32(at, true);
  }

  /**
   * Reads an unsigned little-endian integer of 8 bytes, a length.
   * @throws InputError if it exceeds the pickle
   */
  unsigned64(): number {
    this.skip(8);
    const value = this.#view.getBigUint64(this.#at - 8, true);
    if (value > BigInt(this.#bytes.length)) throw this.broken('ends too early');
    return Number(value);
  }

  /** Reads a signed little-endian integer of 4 bytes. */
  signed(): number {
    this.skip(4);
    return this.#view.getInt32(this.#at - 4, true);
  }

  /** Reads a big-endian double. */
  double(): number {
    this.skip(8);
    return this.#view.getFloat64(this.#at - 8);
  }

  /**
   * Reads a signed little-endian integer of up to `MAX_LONG` bytes and rounds it to a double.
   * @throws InputError if the integer is longer
   */
  long(bytes: number): number {
    if (bytes > MAX_LONG) throw this.broken(`has an integer of ${bytes} bytes, expected at most ${MAX_LONG}`);
    if (bytes === 0) return 0;
    const hex = Buffer.from(this.slice(bytes)).reverse().toString('hex');
    return Number(BigInt.asIntN(8 * bytes, BigInt(`0x${hex}`)));
  }

  /** Reads bytes. */
  slice(bytes: number): Uint8Array {
    this.skip(bytes);
    return this.#bytes.subarray(this.#at - bytes, this.#at);
  }

  /** Reads UTF-8 text of the given number of bytes. */
  text(bytes: number): string {
    return new TextDecoder().decode(this.slice(bytes));
  }

  /** Reads UTF-8 text up to the next line break. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.broken('ends too early');
    const text = new TextDecoder().decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return text;
  }

  /** Returns the error for an invalid pickle, with the current position. */
  broken(problem: string): InputError {
    return new InputError(this.path, `its pickle ${problem}`, this.#at);
  }
}
