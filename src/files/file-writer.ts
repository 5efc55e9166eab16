import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from './make-folder.js';
import { wrapFileErrors } from './wrap-io-errors.js';

/** Number of characters or bytes that are buffered before they are written. */
const BUFFERED = 1 << 20;

/** A file that has been written: its size in bytes and its SHA-256. */
export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes a new file piece by piece, and computes its checksum. */
export class FileWriter {
  readonly #handle: FileHandle;
  /** The name that errors give. */
  readonly #name: string;
  readonly #hash = createHash('sha256');
  #pieces: string[] = [];
  #buffered = 0;
  #bytes = 0;

  private constructor(handle: FileHandle, name: string) {
    this.#handle = handle;
    this.#name = name;
  }

  /**
   * Creates a file, and its folder if needed.
   *
   * @param path a path at which nothing exists, not even a link
   * @param name the name that errors give: the file that the new one will be renamed to
   * @throws OutputError when the file cannot be created
   */
  static open(path: string, name = path): Promise<FileWriter> {
    return wrapFileErrors(name, async () => {
      await makeFolder(dirname(path));
      return new FileWriter(await open(path, 'wx'), name);
    });
  }

  /**
   * Appends a text. The caller awaits the result before it writes more, so that memory stays bounded.
   * @throws OutputError when the file cannot be written
   */
  async write(piece: string): Promise<void> {
    this.#pieces.push(piece);
    this.#buffered += piece.length;
    if (this.#buffered > BUFFERED) await this.#flush();
  }

  /**
   * Appends bytes.
   * @throws OutputError when the file cannot be written
   */
  async writeBytes(bytes: Uint8Array): Promise<void> {
    await this.#flush();
    await this.#append(bytes);
  }

  /**
   * Makes the content durable and closes the file.
   * @throws OutputError when the file cannot be written
   */
  async close(): Promise<WrittenFile> {
    await this.#flush();
    await wrapFileErrors(this.#name, async () => {
      await this.#handle.datasync();
      await this.#handle.close();
    });
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  /** Closes the file without a word about errors, after another error. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => {});
  }

  async #flush(): Promise<void> {
    if (this.#pieces.length === 0) return;
    const bytes = Buffer.from(this.#pieces.join(''));
    this.#pieces = [];
    this.#buffered = 0;
    await this.#append(bytes);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await wrapFileErrors(this.#name, () => this.#handle.writeFile(bytes));
  }
}
