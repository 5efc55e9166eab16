import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Id } from '../records/image.js';
import { GrowingArray } from './growing-array.js';
import { IdIndex } from './id-index.js';
import { appendBlocks } from './spool-file.js';
import { TemporaryFolder } from './temporary-folder.js';

const bufferBytes = 1024 * 1024;
const none = -1;

/** Ids are mostly asked for in about the order in which they were put in: what lies beside a payload comes next. */
const pageBytes = 16 * 1024;
const maxPages = 64;

/**
 * Keeps byte payloads by id in a temporary file; memory holds an index of some 40 bytes an id. What was put in under an
 * id comes out in that order. First everything is put in, then `seal`, then read. Close it in a `finally`.
 */
export class KeyedStore {
  readonly #folder: TemporaryFolder;
  readonly #path: string;
  readonly #ids = new IdIndex();
  /** For each payload: where it starts in the file, and the next payload of the same id. */
  readonly #starts = new GrowingArray((length) => new Float64Array(length));
  readonly #next = new GrowingArray((length) => new Int32Array(length));
  /** For each id: its first and its last payload. */
  readonly #firsts = new GrowingArray((length) => new Int32Array(length));
  #lasts = new GrowingArray((length) => new Int32Array(length));
  #buffered: Uint8Array[] = [];
  #bufferedBytes = 0;
  #bytes = 0;
  #file: FileHandle | null = null;
  readonly #pages = new Map<number, Promise<Buffer>>();

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
    this.#path = join(folder.path, 'payloads');
  }

  /** @throws OutputError where the temporary folder can't be made */
  static async create(tempDir: string): Promise<KeyedStore> {
    return new KeyedStore(await TemporaryFolder.create(tempDir));
  }

  /** How many ids there are. */
  get size(): number {
    return this.#ids.size;
  }

  /** Whether anything was put in under the id. */
  has(id: Id): boolean {
    return this.#ids.get(id) !== undefined;
  }

  /** Puts a payload in, which must not change afterwards. */
  put(id: Id, payload: Uint8Array): void {
    const entry = this.#starts.length;
    this.#starts.push(this.#bytes);
    this.#next.push(none);
    this.#bytes += payload.length;
    this.#buffered.push(payload);
    this.#bufferedBytes += payload.length;

    const known = this.#ids.get(id);
    if (known === undefined) {
      this.#ids.add(id);
      this.#firsts.push(entry);
      this.#lasts.push(entry);
    } else {
      this.#next.set(this.#lasts.at(known), entry);
      this.#lasts.set(known, entry);
    }
  }

  /**
   * Writes out what is buffered beyond a bound: call it between batches.
   * @throws OutputError where writing fails
   */
  async settle(bound = bufferBytes): Promise<void> {
    if (this.#bufferedBytes <= bound) return;
    await appendBlocks(this.#path, this.#buffered);
    this.#buffered = [];
    this.#bufferedBytes = 0;
  }

  /** From here on the store can be read, and nothing more put in. */
  async seal(): Promise<void> {
    await this.settle(0);
    this.#starts.push(this.#bytes);
    // Only needed to put more in.
    this.#lasts = new GrowingArray((length) => new Int32Array(length));
    if (this.#bytes > 0) this.#file = await open(this.#path);
  }

  /** What was put in under the id, in that order; empty where nothing was. May be called many times at once. */
  async get(id: Id): Promise<readonly Buffer[]> {
    const known = this.#ids.get(id);
    if (known === undefined) return [];
    const payloads: Buffer[] = [];
    for (let entry = this.#firsts.at(known); entry !== none; entry = this.#next.at(entry)) {
      payloads.push(await this.#read(this.#starts.at(entry), this.#starts.at(entry + 1)));
    }
    return payloads;
  }

  /** Removes the temporary file. The store is of no use afterwards. */
  async close(): Promise<void> {
    try {
      await this.#file?.close();
    } finally {
      this.#file = null;
      this.#pages.clear();
      await this.#folder.remove();
    }
  }

  async #read(from: number, to: number): Promise<Buffer> {
    const first = Math.floor(from / pageBytes);
    if (to > (first + 1) * pageBytes) return this.#readAt(from, to);
    const start = first * pageBytes;
    let page = this.#pages.get(first);
    if (!page) {
      page = this.#readAt(start, Math.min(start + pageBytes, this.#bytes));
      this.#pages.set(first, page);
      for (const oldest of this.#pages.keys()) {
        if (this.#pages.size <= maxPages) break;
        this.#pages.delete(oldest);
      }
    }
    return (await page).subarray(from - start, to - start);
  }

  async #readAt(from: number, to: number): Promise<Buffer> {
    if (to === from) return Buffer.alloc(0);
    if (!this.#file) throw new Error('a keyed store is read before it is sealed or after it is closed');
    const bytes = Buffer.allocUnsafe(to - from);
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, from);
    if (bytesRead !== bytes.length) throw new Error('a temporary file is shorter than what was written to it');
    return bytes;
  }
}
