import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { InputError } from '../errors.js';

const gzipChunk = 256 * 1024;

/**
 * A file's bytes in order, read into the caller's buffer. Gzip, known by its first two bytes, is undone on the way.
 * Close it in a `finally`.
 */
export class ByteReader {
  /** Bytes of the file on disk, compressed or not. */
  readonly size: number;
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #inflated: AsyncIterator<Buffer> | null;
  #chunk: Buffer = Buffer.alloc(0);
  #consumed = 0;

  private constructor(file: string, handle: FileHandle, size: number, gzip: boolean) {
    this.#file = file;
    this.#handle = handle;
    this.size = size;
    this.#inflated = gzip ? this.#inflate() : null;
  }

  /** @throws InputError where the file is missing or can't be read */
  static async open(file: string): Promise<ByteReader> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(file);
      const stat = await handle.stat();
      if (!stat.isFile()) throw new InputError(file, 'is not a file');
      const magic = Buffer.alloc(2);
      const { bytesRead } = await handle.read(magic, 0, 2, 0);
      return new ByteReader(file, handle, stat.size, bytesRead === 2 && magic[0] === 0x1f && magic[1] === 0x8b);
    } catch (error) {
      await handle?.close();
      throw error instanceof InputError ? error : unreadable(file, error);
    }
  }

  /** How many bytes of the file on disk have been read, for progress against `size`. */
  get consumed(): number {
    return this.#consumed;
  }

  /**
   * Puts up to `length` bytes into `target` from index `at` on.
   * @returns how many; 0 at the end of the file
   * @throws InputError where reading fails or the gzip data is cut off or broken
   */
  async read(target: Buffer, at: number, length: number): Promise<number> {
    if (!this.#inflated) return this.#readRaw(target, at, length);
    if (this.#chunk.length === 0) this.#chunk = await this.#nextChunk();
    const taken = this.#chunk.copy(target, at, 0, length);
    this.#chunk = this.#chunk.subarray(taken);
    return taken;
  }

  async close(): Promise<void> {
    try {
      await this.#inflated?.return?.();
    } finally {
      await this.#handle.close();
    }
  }

  async #readRaw(target: Buffer, at: number, length: number): Promise<number> {
    try {
      const { bytesRead } = await this.#handle.read(target, at, length, this.#consumed);
      this.#consumed += bytesRead;
      return bytesRead;
    } catch (error) {
      throw unreadable(this.#file, error);
    }
  }

  async #nextChunk(): Promise<Buffer> {
    try {
      const next = await this.#inflated?.next();
      return next?.done === false ? next.value : Buffer.alloc(0);
    } catch (error) {
      if (error instanceof InputError) throw error;
      const cut = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
      throw new InputError(this.#file, cut ? 'truncated gzip data' : 'invalid gzip data', undefined, { cause: error });
    }
  }

  async *#inflate(): AsyncGenerator<Buffer> {
    const gunzip = createGunzip({ chunkSize: gzipChunk });
    const feed = this.#feed(gunzip);
    // A failing feed destroys `gunzip`, so that the loop below throws its error.
    feed.catch((error: Error) => gunzip.destroy(error));
    try {
      for await (const chunk of gunzip) yield chunk as Buffer;
    } finally {
      gunzip.destroy();
      await feed.catch(() => {});
    }
  }

  async #feed(gunzip: ReturnType<typeof createGunzip>): Promise<void> {
    while (!gunzip.destroyed) {
      const chunk = Buffer.allocUnsafe(gzipChunk);
      const length = await this.#readRaw(chunk, 0, chunk.length);
      if (length === 0) {
        gunzip.end();
        return;
      }
      if (!gunzip.write(chunk.subarray(0, length))) await drained(gunzip);
    }
  }
}

function drained(gunzip: ReturnType<typeof createGunzip>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      gunzip.off('drain', done).off('close', done);
      resolve();
    };
    gunzip.on('drain', done).on('close', done);
  });
}

function unreadable(file: string, error: unknown): InputError {
  const { code, message } = error as NodeJS.ErrnoException;
  const problem = code === 'ENOENT' ? 'no such file' : `can't be read: ${message}`;
  return new InputError(file, problem, undefined, { cause: error });
}
