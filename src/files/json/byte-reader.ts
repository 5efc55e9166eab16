import { type FileHandle, open } from 'node:fs/promises';
import type { TextDecoder } from 'node:util';
import { createGunzip, type Gunzip } from 'node:zlib';
import { InputError } from '../../errors.js';
import { limitVariables, readerLimits } from '../reader-limits.js';
import { isGzip } from './is-gzip.js';
import { utf16Decoder } from './utf16-decoder.js';

const chunkBytes = 512 * 1024;
/** The size of content that is decompressed whatever the compression ratio. */
const freeBytes = 16 * 1024 * 1024;

/**
 * Reads the bytes of a file in order into the caller's buffer. Gzip, detected by its first two bytes, is decompressed;
 * UTF-16, detected by its byte order mark or by a zero byte in its first character, is converted to UTF-8.
 * The next chunk is read while the caller works on the last one. Close the reader in a `finally` block.
 */
export class ByteReader {
  /** The size of the file on disk in bytes, compressed or not. */
  readonly size: number;
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #maxRatio: number;
  #chunk: Buffer = Buffer.alloc(0);
  #ahead: Promise<Buffer>;
  #consumed = 0;

  private constructor(file: string, handle: FileHandle, size: number, gzip: boolean, maxRatio: number) {
    this.#maxRatio = maxRatio;
    this.#file = file;
    this.#handle = handle;
    this.size = size;
    this.#chunks = asUtf8(gzip ? this.#inflated() : this.#raw());
    this.#ahead = this.#next();
  }

  /**
   * @param maxRatio how many times larger than a gzip file its content may be. Default: see `readerLimits`
   * @throws InputError if the file is missing or cannot be read
   */
  static async open(file: string, maxRatio: number = readerLimits().maxCompressionRatio): Promise<ByteReader> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(file);
      const stat = await handle.stat();
      if (!stat.isFile()) throw new InputError(file, 'is not a file');
      const magic = Buffer.alloc(2);
      await handle.read(magic, 0, 2, 0);
      return new ByteReader(file, handle, stat.size, isGzip(magic), maxRatio);
    } catch (error) {
      await handle?.close();
      throw error instanceof InputError ? error : unreadable(file, error);
    }
  }

  /** The number of bytes of the file on disk that have been read, for progress relative to `size`. */
  get consumed(): number {
    return this.#consumed;
  }

  /**
   * Writes up to `length` bytes into `target`, starting at index `at`.
   * @returns the number of bytes; 0 at the end of the file
   * @throws InputError if reading fails, or the gzip data is truncated, invalid or expands too much
   */
  async read(target: Buffer, at: number, length: number): Promise<number> {
    if (this.#chunk.length === 0) {
      this.#chunk = await this.#ahead;
      if (this.#chunk.length > 0) this.#ahead = this.#next();
    }
    const taken = this.#chunk.copy(target, at, 0, length);
    this.#chunk = this.#chunk.subarray(taken);
    return taken;
  }

  async close(): Promise<void> {
    try {
      await this.#ahead.catch(() => {});
      await this.#chunks.return?.();
    } finally {
      await this.#handle.close();
    }
  }

  /** Returns the next chunk, which is empty at the end of the file. */
  #next(): Promise<Buffer> {
    const next = this.#chunks.next().then(({ done, value }) => (done ? Buffer.alloc(0) : value));
    // It may reject before anyone awaits it.
    next.catch(() => {});
    return next;
  }

  /** Yields chunks from two alternating buffers: a chunk is valid until the second chunk after it is requested. */
  async *#raw(): AsyncGenerator<Buffer> {
    const buffers = [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)] as const;
    for (let turn = 0; ; turn = 1 - turn) {
      const chunk = turn === 0 ? buffers[0] : buffers[1];
      let length: number;
      try {
        length = (await this.#handle.read(chunk, 0, chunk.length, this.#consumed)).bytesRead;
      } catch (error) {
        throw unreadable(this.#file, error);
      }
      if (length === 0) return;
      this.#consumed += length;
      yield chunk.subarray(0, length);
    }
  }

  async *#inflated(): AsyncGenerator<Buffer> {
    const gunzip = createGunzip({ chunkSize: chunkBytes });
    const feed = this.#feed(gunzip);
    // If feeding fails, `gunzip` is destroyed and the loop below throws the error.
    feed.catch((error: Error) => gunzip.destroy(error));
    try {
      let bytes = 0;
      for await (const chunk of gunzip) {
        bytes += (chunk as Buffer).length;
        if (bytes > freeBytes && bytes > this.#consumed * this.#maxRatio) throw this.#expandsTooMuch();
        yield chunk as Buffer;
      }
    } catch (error) {
      if (error instanceof InputError) throw error;
      const isTruncated = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
      throw new InputError(this.#file, isTruncated ? 'truncated gzip data' : 'invalid gzip data', undefined, {
        cause: error,
      });
    } finally {
      gunzip.destroy();
      await feed.catch(() => {});
    }
  }

  #expandsTooMuch(): InputError {
    const limit = `${this.#maxRatio} times its size, the limit that ${limitVariables.maxCompressionRatio} sets`;
    return new InputError(this.#file, `the gzip data expands to more than ${limit}`);
  }

  async #feed(gunzip: Gunzip): Promise<void> {
    for await (const chunk of this.#raw()) {
      if (gunzip.destroyed) return;
      await consumed(gunzip, chunk);
    }
    gunzip.end();
  }
}

/** Yields the chunks unchanged, or converted to UTF-8 if the first chunk shows that they are UTF-16. */
async function* asUtf8(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | null | undefined;
  for await (const chunk of chunks) {
    decoder ??= utf16Decoder(chunk);
    if (!decoder) {
      yield chunk;
      yield* chunks;
      return;
    }
    const text = decoder.decode(chunk, { stream: true });
    // An empty chunk would end the file.
    if (text !== '') yield Buffer.from(text);
  }
  const rest = decoder?.decode() ?? '';
  if (rest !== '') yield Buffer.from(rest);
}

/** Writes a chunk and resolves when its buffer may be reused. */
function consumed(gunzip: Gunzip, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => {
    gunzip.once('close', resolve);
    gunzip.write(chunk, () => {
      gunzip.off('close', resolve);
      resolve();
    });
  });
}

function unreadable(file: string, error: unknown): InputError {
  const { code, message } = error as NodeJS.ErrnoException;
  const problem = code === 'ENOENT' ? 'no such file' : `cannot be read: ${message}`;
  return new InputError(file, problem, undefined, { cause: error });
}
