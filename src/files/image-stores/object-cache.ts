import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { OptionError } from '../../errors.js';
import { isMissing } from '../is-missing.js';
import { listNames } from '../list-names.js';
import { makeFolder } from '../make-folder.js';

const DEFAULT_BYTES = 10 * 2 ** 30;

/** Bytes of the SHA-256 at the end of a cached file. */
const DIGEST = 32;

/** The use of a file is noted at most once in this time, in milliseconds. */
const USE_STEP = 60_000;

/** Files of processes that were killed are removed after this time, in milliseconds. */
const PARTIAL_AGE = 3_600_000;

/**
 * A folder of objects that were read before, of bounded size: the least recently used ones are removed. Any number of
 * processes may use it at the same time. A file appears when it is complete, and ends with its checksum: one that is damaged
 * is not used.
 */
export class ObjectCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  /** Bytes that this process has written since it last looked at the whole cache; null before the first time. */
  #written: number | null = null;
  #cleaning: Promise<void> | null = null;
  #isFailing = false;

  /** @param maxBytes limit of the size, which each process may exceed by a twentieth for a while; 0 caches nothing */
  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /**
   * Returns the cache that the environment names: the folder `RELFLOW_IMAGE_CACHE`, else one of the user's caches, with at
   * most `RELFLOW_IMAGE_CACHE_BYTES`, else 10 GiB.
   * @throws OptionError if the size is not a whole number
   */
  static ofEnvironment(): ObjectCache {
    const text = process.env['RELFLOW_IMAGE_CACHE_BYTES'] || String(DEFAULT_BYTES);
    const bytes = Number(text);
    if (!Number.isSafeInteger(bytes) || bytes < 0)
      throw new OptionError('RELFLOW_IMAGE_CACHE_BYTES', `is '${text}', expected a whole number of bytes, or 0`);
    return new ObjectCache(
      process.env['RELFLOW_IMAGE_CACHE'] || join(envPaths('relflow', { suffix: '' }).cache, 'images'),
      bytes,
    );
  }

  /** Returns a cached object; null if there is none or its file is damaged. */
  async get(key: string): Promise<Buffer | null> {
    if (this.#maxBytes === 0) return null;
    const file = this.#fileOf(key);
    try {
      const handle = await open(file);
      try {
        const content = await handle.readFile();
        const bytes = content.subarray(0, Math.max(0, content.length - DIGEST));
        if (!digestOf(bytes).equals(content.subarray(bytes.length))) {
          await rm(file, { force: true });
          return null;
        }
        if (Date.now() - (await handle.stat()).mtimeMs > USE_STEP) await handle.utimes(new Date(), new Date());
        return bytes;
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (!isMissing(error)) this.#warn(error);
      return null;
    }
  }

  /** Adds an object. A cache that cannot be written is reported once as a warning of the process. */
  async put(key: string, bytes: Buffer): Promise<void> {
    if (bytes.length > this.#maxBytes / 4) return;
    const partial = join(this.#folder, 'partial', randomUUID());
    try {
      const file = this.#fileOf(key);
      await makeFolder(join(this.#folder, 'partial'));
      await makeFolder(join(file, '..'));
      await writeFile(partial, Buffer.concat([bytes, digestOf(bytes)]), { flag: 'wx' });
      await rename(partial, file);
      const written = (this.#written ?? 0) + bytes.length;
      const isFirst = this.#written === null;
      this.#written = written;
      if (isFirst || written > this.#maxBytes / 20) await this.#clean();
    } catch (error) {
      await rm(partial, { force: true }).catch(() => {});
      this.#warn(error);
    }
  }

  #clean(): Promise<void> {
    this.#cleaning ??= this.#removeOldest().finally(() => {
      this.#cleaning = null;
    });
    return this.#cleaning;
  }

  async #removeOldest(): Promise<void> {
    this.#written = 0;
    for (const name of await listNames(join(this.#folder, 'partial'))) {
      const path = join(this.#folder, 'partial', name);
      const found = await stat(path).catch(() => null);
      if (found && Date.now() - found.mtimeMs > PARTIAL_AGE) await rm(path, { force: true });
    }
    const files: { readonly path: string; readonly bytes: number; readonly used: number }[] = [];
    for (const entry of await readdir(this.#folder, { withFileTypes: true })) {
      if (!entry.isDirectory() || !/^[0-9a-f]{2}$/.test(entry.name)) continue;
      for (const name of await listNames(join(this.#folder, entry.name))) {
        const path = join(this.#folder, entry.name, name);
        const found = await stat(path).catch(() => null);
        if (found?.isFile()) files.push({ path, bytes: found.size, used: found.mtimeMs });
      }
    }
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total <= this.#maxBytes) return;
    files.sort((a, b) => a.used - b.used);
    for (const { path, bytes } of files) {
      if (total <= this.#maxBytes * 0.9) break;
      await rm(path, { force: true });
      total -= bytes;
    }
  }

  #fileOf(key: string): string {
    const name = createHash('sha256').update(key).digest('hex');
    return join(this.#folder, name.slice(0, 2), name);
  }

  #warn(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    process.emitWarning(`the image cache ${this.#folder} cannot be used: ${(error as Error).message}`);
  }
}

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
