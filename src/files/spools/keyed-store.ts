import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Id } from '../../records/image.js';
import { seededHashOfBytes } from '../seeded-hash.js';
import { withPath } from '../system-error.js';
import { GrowingArray } from './growing-array.js';
import { PageIndex } from './page-index.js';
import { appendSpoolBlocks } from './spool-file.js';
import { TemporaryFolder } from './temporary-folder.js';

const bufferBytes = 1024 * 1024;

/**
 * The size of a page. Ids are mostly read in about the order in which they were added, so that a page serves many
 * reads.
 */
const pageBytes = 16 * 1024;
const maxPages = 64;

/**
 * The size in bytes of the header before an id and its payload: the hash and length of the id, the length of the
 * payload.
 */
const header = 12;

/**
 * Stores byte payloads by id in a temporary file of pages; memory holds the page number of each id in about 8 bytes.
 * The payloads of an id are returned in the order in which they were added. Add all payloads, call `seal`, then read.
 * Close the store in a `finally` block.
 */
export class KeyedStore {
  readonly #folder: TemporaryFolder;
  readonly #path: string;
  readonly #index = new PageIndex();
  /** The offset of each page in the file. */
  readonly #starts = new GrowingArray((length) => new Float64Array(length));
  #buffered: Uint8Array[] = [];
  #bufferedBytes = 0;
  #bytes = 0;
  #file: FileHandle | null = null;
  readonly #pages = new Map<number, Promise<Buffer>>();

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
    this.#path = join(folder.path, 'payloads');
  }

  /** @throws OutputError if the temporary folder cannot be created */
  static async create(tempDir: string): Promise<KeyedStore> {
    return new KeyedStore(await TemporaryFolder.create(tempDir));
  }

  /** Adds a payload. 7 and '7' are different ids. */
  put(id: Id, payload: Uint8Array): void {
    const key = keyOf(id);
    const hash = seededHashOfBytes(key);
    const frame = Buffer.allocUnsafe(header + key.length + payload.length);
    frame.writeUInt32LE(hash, 0);
    frame.writeUInt32LE(key.length, 4);
    frame.writeUInt32LE(payload.length, 8);
    frame.set(key, header);
    frame.set(payload, header + key.length);

    const pages = this.#starts.length;
    // A payload longer than a page gets a page of its own.
    if (pages === 0 || this.#bytes + frame.length - this.#starts.at(pages - 1) > pageBytes)
      this.#starts.push(this.#bytes);
    this.#index.add(hash, this.#starts.length - 1);
    this.#bytes += frame.length;
    this.#buffered.push(frame);
    this.#bufferedBytes += frame.length;
  }

  /**
   * Writes buffered payloads to disk if they exceed `bound` bytes. Call it between batches.
   * @throws OutputError if writing fails
   */
  async flush(bound = bufferBytes): Promise<void> {
    if (this.#bufferedBytes <= bound) return;
    await appendSpoolBlocks(this.#path, this.#buffered);
    this.#buffered = [];
    this.#bufferedBytes = 0;
  }

  /** Ends the adding: from now on the store can be read, and no payload can be added. */
  async seal(): Promise<void> {
    await this.flush(0);
    this.#starts.push(this.#bytes);
    this.#index.seal();
    if (this.#bytes > 0) this.#file = await open(this.#path);
  }

  /** Returns the payloads of an id in the order in which they were added; none if there are none. Calls may overlap. */
  async get(id: Id): Promise<readonly Buffer[]> {
    const key = keyOf(id);
    const hash = seededHashOfBytes(key);
    const payloads: Buffer[] = [];
    for (const number of this.#index.pagesOf(hash)) {
      const page = await this.#page(number);
      for (let at = 0; at < page.length; ) {
        const start = at + header + page.readUInt32LE(at + 4);
        const end = start + page.readUInt32LE(at + 8);
        if (page.readUInt32LE(at) === hash && key.equals(page.subarray(at + header, start))) {
          payloads.push(page.subarray(start, end));
        }
        at = end;
      }
    }
    return payloads;
  }

  /** Removes the temporary file. The store cannot be used afterwards. */
  async close(): Promise<void> {
    try {
      await this.#file?.close();
    } finally {
      this.#file = null;
      this.#pages.clear();
      await this.#folder.remove();
    }
  }

  #page(number: number): Promise<Buffer> {
    const [from, to] = [this.#starts.at(number), this.#starts.at(number + 1)];
    if (to - from > pageBytes) return this.#read(from, to);
    let page = this.#pages.get(number);
    if (!page) {
      page = this.#read(from, to);
      this.#pages.set(number, page);
      for (const oldest of this.#pages.keys()) {
        if (this.#pages.size <= maxPages) break;
        this.#pages.delete(oldest);
      }
    }
    return page;
  }

  async #read(from: number, to: number): Promise<Buffer> {
    if (!this.#file) throw new Error('a keyed store is read before it is sealed or after it is closed');
    const bytes = Buffer.allocUnsafe(to - from);
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, from).catch((error) => {
      throw withPath(error, this.#path);
    });
    if (bytesRead !== bytes.length) throw new Error('a temporary file is shorter than what was written to it');
    return bytes;
  }
}

function keyOf(id: Id): Buffer {
  return Buffer.from(JSON.stringify(id));
}
