import type { ByteReader } from './byte-reader.js';
import { sentinelBytes } from './json-scanner.js';

const readBytes = 1024 * 1024;

/** The buffered part of a file: bytes from `position` to `end`, followed by zeros for the scanner. */
export class ByteWindow {
  bytes: Buffer = Buffer.alloc(readBytes + sentinelBytes);
  /** The index of the next byte to process; earlier bytes are discarded by `readMore`. */
  position = 0;
  /** The index after the last buffered byte. */
  end = 0;
  #start = 0;
  readonly #reader: ByteReader;
  readonly #onRead: () => void;

  /** @param onRead called after each read; may throw to stop */
  constructor(reader: ByteReader, onRead: () => void) {
    this.#reader = reader;
    this.#onRead = onRead;
  }

  /** Returns the offset in the decompressed file of the byte at `index`. */
  offset(index: number): number {
    return this.#start + index;
  }

  /**
   * Moves the bytes from `position` on to the front, sets `position` to 0 and reads more bytes after them: at least as
   * many as were kept, so that scanning one long value again after each call costs no more than twice its size.
   * @returns false at the end of the file
   */
  async readMore(): Promise<boolean> {
    const kept = this.end - this.position;
    const target = kept * 2 > this.bytes.length ? Buffer.alloc(kept * 2 + readBytes) : this.bytes;
    this.bytes.copy(target, 0, this.position, this.end);
    this.bytes = target;
    this.#start += this.position;
    this.position = 0;
    this.end = kept;
    do {
      const length = await this.#reader.read(target, this.end, target.length - this.end - sentinelBytes);
      this.#onRead();
      if (length === 0) break;
      this.end += length;
    } while (this.end < 2 * kept);
    target.fill(0, this.end, this.end + sentinelBytes);
    return this.end > kept;
  }
}

/** Returns the index at which the text of a file starts: 3 after a UTF-8 byte order mark, else 0. Needs three bytes. */
export function skipByteOrderMark(bytes: Buffer): number {
  return bytes.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
}
