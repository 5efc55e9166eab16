import { tmpdir } from 'node:os';
import type { Id } from '../../records/image.js';
import { inputFiles } from '../input-files.js';
import { idKey } from '../json/json-value.js';
import { KeyedStore } from './keyed-store.js';

/** Reads a file and calls `put` with each value that it has for an image. */
export type ReadEntries = (file: string, put: (image: Id, value: unknown) => void, batch: Batch) => Promise<void>;

interface Batch {
  readonly signal: AbortSignal | undefined;
  /** Writes buffered values to disk; await it between batches. */
  flush(): Promise<void>;
}

/**
 * Looks up the values that files have for an image. The files are read once, on the first lookup, into a temporary
 * file, so that memory holds only an index. The image ids 7 and '7' are equal, because ids may be keys of a JSON
 * object.
 */
export class ImageEntryIndex {
  readonly #pattern: string;
  readonly #tempDir: string;
  readonly #readEntries: ReadEntries;
  #store: Promise<KeyedStore> | null = null;

  /** @param pattern path or glob; several files are merged, sorted */
  constructor(pattern: string, tempDir: string | undefined, readEntries: ReadEntries) {
    this.#pattern = pattern;
    this.#tempDir = tempDir ?? tmpdir();
    this.#readEntries = readEntries;
  }

  /** @throws InputError if no file matches or a file cannot be read */
  files(): Promise<readonly string[]> {
    return inputFiles(this.#pattern);
  }

  /**
   * Returns the values of an image, in the order of the files.
   * @throws InputError if a file cannot be read
   */
  async get(image: Id, signal?: AbortSignal): Promise<readonly unknown[]> {
    this.#store ??= this.#read(signal).catch((error: unknown) => {
      this.#store = null;
      throw error;
    });
    const store = await this.#store;
    return (await store.get(idKey(image))).map((payload) => JSON.parse(payload.toString()));
  }

  /** Removes the temporary file; a later lookup reads the files again. */
  async close(): Promise<void> {
    const store = this.#store;
    this.#store = null;
    // `get` has already reported why reading failed.
    await (await store?.catch(() => null))?.close();
  }

  async #read(signal: AbortSignal | undefined): Promise<KeyedStore> {
    const store = await KeyedStore.create(this.#tempDir);
    try {
      const put = (image: Id, value: unknown) => store.put(idKey(image), Buffer.from(JSON.stringify(value)));
      for (const file of await this.files()) await this.#readEntries(file, put, { signal, flush: () => store.flush() });
      await store.seal();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }
}
