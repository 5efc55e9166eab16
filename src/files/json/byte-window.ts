import type { ByteReader } from './byte-reader.js';
import { sentinelBytes } from './json-scanner.js';

const readBytes = 1024 * 1024;

/** The part of a file that is in memory: whole from `position` to `end`, followed by zeros for the scanner. */
export class ByteWindow {
  bytes: Buffer = Buffer.alloc(readBytes + sentinelBytes);
  /** Index of the next byte to look at; what lies before it is forgotten when more is read. */
  position = 0;
  /** Index after the last byte at hand. */
  end = 0;
  #start = 0;
  readonly #reader: ByteReader;
  readonly #onRead: () => void;

  /** @param onRead called after each read; may throw to stop */
  constructor(reader: ByteReader, onRead: () => void) {
    this.#reader = reader;
    this.#onRead = onRead;
  }

  /** Offset in the decompressed file of the byte at `index`. */
  offset(index: number): number {
    return this.#start + index;
  }

  /** Reads on, with `position` moved to the front. False at the end of the file. */
  async readMore(): Promise<boolean> {
    const kept = this.end - this.position;
    // Doubling while one value fills the window keeps the bytes that are scanned again below twice its size.
    const target = kept * 2 > this.bytes.length ? Buffer.alloc(kept * 2 + readBytes) : this.bytes;
    this.bytes.copy(target, 0, this.position, this.end);
    this.bytes = target;
    this.#start += this.position;
    this.position = 0;
    const length = await this.#reader.read(target, kept, target.length - kept - sentinelBytes);
    this.end = kept + length;
    target.fill(0, this.end, this.end + sentinelBytes);
    this.#onRead();
    return length > 0;
  }
}

/** Where the text of a file starts: after UTF-8's byte order mark, or at 0. Three bytes must be at hand. */
export function skipByteOrderMark(bytes: Buffer): number {
  return bytes.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
}
