import { createHash } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { InputError } from '../../errors.js';
import { makeFolder } from '../../files/make-folder.js';
import type { Parameter } from '../parameter-scope.js';

/** A record has four fields: length of the key in bytes, key, numbers of the vector, and a CRC-32 of these three. */
const LENGTH_BYTES = 4;
const CHECKSUM_BYTES = 4;
/** Labels with a longer key are cached in memory only. */
const MAX_KEY_BYTES = 8192;

/**
 * File that caches the label vectors of one text encoder for later runs.
 *
 * The name of the file contains a digest of the encoder's weights. Records are only appended. Reading stops at the first
 * record that is incomplete, for example after a killed run, or that does not match its checksum.
 */
export class LabelVectorFile {
  readonly #path: string;
  readonly #width: number;

  private constructor(path: string, width: number) {
    this.#path = path;
    this.#width = width;
  }

  /**
   * @param folder created if it does not exist
   * @param encoder loaded parameters of the text encoder
   * @param width length of a vector
   */
  static async open(folder: string, encoder: readonly Parameter[], width: number): Promise<LabelVectorFile> {
    const digest = createHash('sha256');
    for (const parameter of encoder) {
      const values = await parameter.values();
      digest.update(parameter.name).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    return new LabelVectorFile(join(folder, `label-vectors-${digest.digest('hex').slice(0, 32)}.bin`), width);
  }

  /**
   * Reads the file, and truncates it after the last complete record.
   * @returns vectors by key
   * @throws InputError if the file exists and cannot be read
   */
  async read(): Promise<Map<string, Float32Array>> {
    const vectors = new Map<string, Float32Array>();
    const bytes = await readFile(this.#path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return Buffer.alloc(0);
      throw new InputError(this.#path, 'cannot be read as label vectors', undefined, { cause });
    });
    const vector = 4 * this.#width;
    let at = 0;
    while (at + LENGTH_BYTES <= bytes.length) {
      const size = bytes.readUInt32LE(at);
      const end = at + LENGTH_BYTES + size + vector;
      if (size > MAX_KEY_BYTES || end + CHECKSUM_BYTES > bytes.length) break;
      if (crc32(bytes.subarray(at, end)) !== bytes.readUInt32LE(end)) break;
      const values = new Float32Array(this.#width);
      new Uint8Array(values.buffer).set(bytes.subarray(end - vector, end));
      // Earlier versions also cached vectors of damaged weights.
      if (!values.every(Number.isFinite)) break;
      vectors.set(bytes.toString('utf8', at + LENGTH_BYTES, at + LENGTH_BYTES + size), values);
      at = end + CHECKSUM_BYTES;
    }
    // Later runs could not read records appended after an incomplete one, so the file is truncated before it.
    if (at < bytes.length) await this.#rewrite(bytes.subarray(0, at));
    return vectors;
  }

  /** Appends vectors in a single write. */
  async append(vectors: Iterable<readonly [key: string, vector: Float32Array]>): Promise<void> {
    const records: Buffer[] = [];
    for (const [key, vector] of vectors) {
      const name = Buffer.from(key);
      if (name.length > MAX_KEY_BYTES) continue;
      const record = Buffer.alloc(LENGTH_BYTES + name.length + 4 * this.#width + CHECKSUM_BYTES);
      record.writeUInt32LE(name.length, 0);
      name.copy(record, LENGTH_BYTES);
      record.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), LENGTH_BYTES + name.length);
      const end = record.length - CHECKSUM_BYTES;
      record.writeUInt32LE(crc32(record.subarray(0, end)), end);
      records.push(record);
    }
    if (records.length === 0) return;
    await makeFolder(dirname(this.#path));
    await appendFile(this.#path, Buffer.concat(records));
  }

  async #rewrite(bytes: Uint8Array): Promise<void> {
    const { default: writeFileAtomic } = await import('write-file-atomic');
    await writeFileAtomic(this.#path, Buffer.from(bytes));
  }
}
