import { tmpdir } from 'node:os';
import type { Id } from '../../records/image.js';
import { inputFiles } from '../input-files.js';
import { idKey } from '../json/json-value.js';
import { KeyedStore } from './keyed-store.js';

/** Puts what a file has for each image into the store. */
export type ReadEntries = (file: string, put: (image: Id, value: unknown) => void, batch: Batch) => Promise<void>;

interface Batch {
  readonly signal: AbortSignal | undefined;
  /** To be awaited between batches. */
  flush(): Promise<void>;
}

/**
 * Finds what files have for an image. They are read once, at the first question, into a temporary file, so that memory
 * holds an index only. Ids of images are those of JSON or keys of an object: 7 and '7' are the same.
 */
export class ImageEntryIndex {
  readonly #pattern: string;
  readonly #tempDir: string;
  readonly #take: ReadEntries;
  #store: Promise<KeyedStore> | null = null;

  /** @param pattern path or glob; several files are merged, sorted */
  constructor(pattern: string, tempDir: string | undefined, take: ReadEntries) {
    this.#pattern = pattern;
    this.#tempDir = tempDir ?? tmpdir();
    this.#take = take;
  }

  /** @throws InputError where there is no file or one can't be read */
  files(): Promise<readonly string[]> {
    return inputFiles(this.#pattern);
  }

  /**
   * The values that were put in for the image, in that order.
   * @throws InputError where a file can't be read
   */
  async get(image: Id, signal?: AbortSignal): Promise<readonly unknown[]> {
    this.#store ??= this.#read(signal).catch((error: unknown) => {
      this.#store = null;
      throw error;
    });
    const store = await this.#store;
    return (await store.get(idKey(image))).map((payload) => JSON.parse(payload.toString()));
  }

  /** Removes the temporary file; a later question reads the files again. */
  async close(): Promise<void> {
    const store = this.#store;
    this.#store = null;
    // Whoever asked has been told why there is no index.
    await (await store?.catch(() => null))?.close();
  }

  async #read(signal: AbortSignal | undefined): Promise<KeyedStore> {
    const store = await KeyedStore.create(this.#tempDir);
    try {
      const put = (image: Id, value: unknown) => store.put(idKey(image), Buffer.from(JSON.stringify(value)));
      for (const file of await this.files()) await this.#take(file, put, { signal, flush: () => store.flush() });
      await store.seal();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }
}
