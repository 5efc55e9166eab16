import { InputError } from '../../errors.js';

/** A pickle's bytes, read one after the other; every read is checked against their end. */
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

  skip(bytes: number): void {
    this.#at += bytes;
    if (this.#at > this.#bytes.length) throw this.broken('ends too early');
  }

  /** An unsigned number of 1, 2 or 4 bytes. */
  unsigned(bytes: 1 | 2 | 4): number {
    this.skip(bytes);
    const at = this.#at - bytes;
    return bytes === 1
      ? this.#view.getUint8(at)
      : bytes === 2
        ? this.#view.getUint16(at, true)
        : this.#view.getUint32(at, true);
  }

  /** A signed number of 4 bytes. */
  signed(): number {
    this.skip(4);
    return this.#view.getInt32(this.#at - 4, true);
  }

  /** A double, its first byte first. */
  double(): number {
    this.skip(8);
    return this.#view.getFloat64(this.#at - 8);
  }

  /** A signed number of any length; only those that a double holds are of use here. */
  long(bytes: number): number {
    const part = this.slice(bytes);
    let value = 0n;
    for (const [k, byte] of part.entries()) value |= BigInt(byte) << BigInt(8 * k);
    return Number(BigInt.asIntN(Math.max(8, 8 * bytes), value));
  }

  slice(bytes: number): Uint8Array {
    this.skip(bytes);
    return this.#bytes.subarray(this.#at - bytes, this.#at);
  }

  text(bytes: number): string {
    return new TextDecoder().decode(this.slice(bytes));
  }

  /** Up to the next line break. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.broken('ends too early');
    const text = new TextDecoder().decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return text;
  }

  /** The error of a pickle that is not what it should be. */
  broken(problem: string): InputError {
    return this.refused(`its pickle ${problem}`);
  }

  refused(problem: string): InputError {
    return new InputError(this.path, problem, this.#at);
  }
}
