import { tmpdir } from 'node:os';
import { parentsOf } from '../own-entries.js';
import { similarName } from '../similar-names.js';
import { KeyedStore } from '../spools/keyed-store.js';

/** More folders than these are not remembered. */
const MAX_FOLDERS = 512;

/** The images of a store by path, in a temporary file: memory holds about 20 bytes for each. */
export class ImageCatalog<T> {
  readonly #entries: KeyedStore;
  readonly #folders = new Set<string>();
  #images = 0;

  private constructor(entries: KeyedStore) {
    this.#entries = entries;
  }

  /** Makes a catalog of entries, each a path and what is needed to read the image. */
  static async of<T>(entries: AsyncIterable<readonly [path: string, value: T]>): Promise<ImageCatalog<T>> {
    const store = await KeyedStore.create(tmpdir());
    try {
      const catalog = new ImageCatalog<T>(store);
      for await (const [path, value] of entries) {
        catalog.#add(path, value);
        await store.flush();
      }
      await store.seal();
      return catalog;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** Number of images. */
  get size(): number {
    return this.#images;
  }

  /** The folders that images are in, sorted; none if they are more than 512. */
  get folders(): readonly string[] {
    return this.#folders.size > MAX_FOLDERS ? [] : [...this.#folders].sort();
  }

  /** Returns the entries of a path in the order in which they were added. */
  async get(path: string): Promise<readonly T[]> {
    const found = await this.#entries.get(pathKey(path));
    return found.map((value) => JSON.parse(value.toString()) as T);
  }

  /** Returns the paths, sorted, whose base name is similar. */
  async similar(name: string): Promise<readonly string[]> {
    const found = await this.#entries.get(nameKey(name));
    return [...new Set(found.map((path) => path.toString()))].sort();
  }

  /** Removes the temporary file. */
  close(): Promise<void> {
    return this.#entries.close();
  }

  #add(path: string, value: T): void {
    this.#images++;
    this.#entries.put(pathKey(path), Buffer.from(JSON.stringify(value)));
    this.#entries.put(nameKey(path.slice(path.lastIndexOf('/') + 1)), Buffer.from(path));
    if (this.#folders.size <= MAX_FOLDERS) for (const folder of parentsOf(path)) this.#folders.add(folder);
  }
}

const pathKey = (path: string) => `/${path}`;
const nameKey = (name: string) => `?${similarName(name)}`;
