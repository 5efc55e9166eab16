import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { addToList } from '../records/add-to-list.js';

/** A folder with more files than these is not searched for similar names, because the names are held in memory. */
const maxFiles = 200_000;

/**
 * The files of some folders by name, where names that differ only in case, in the form of Unicode, in percent escapes, or in
 * `.jpg` and `.jpeg` are the same: a set that was annotated on another system often spells its files so.
 */
export class SimilarNames {
  readonly #folders: readonly string[];
  readonly #root: string;
  #files: Promise<ReadonlyMap<string, readonly string[]>> | null = null;

  /**
   * @param root the folder that paths are relative to
   * @param folders relative to `root`; empty for the root itself
   */
  constructor(root: string, folders: readonly string[]) {
    this.#root = root;
    this.#folders = folders;
  }

  /** Returns the paths of the files, relative to the root, whose base name is similar; sorted. */
  async find(name: string): Promise<readonly string[]> {
    this.#files ??= this.#read();
    return (await this.#files).get(similarName(name)) ?? [];
  }

  async #read(): Promise<ReadonlyMap<string, readonly string[]>> {
    const files = new Map<string, string[]>();
    let count = 0;
    for (const folder of this.#folders) {
      const entries = await opendir(join(this.#root, folder)).catch(() => null);
      if (!entries) continue;
      for await (const entry of entries) {
        if (entry.isDirectory()) continue;
        if (++count > maxFiles) return new Map();
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        const key = similarName(entry.name);
        addToList(files, key, path);
      }
    }
    for (const paths of files.values()) paths.sort();
    return files;
  }
}

/** Returns a text that is the same for similar file names. */
export function similarName(name: string): string {
  let decoded = name;
  try {
    decoded = decodeURIComponent(name);
  } catch {
    // A percent sign that belongs to the name.
  }
  return decoded
    .normalize('NFC')
    .toLowerCase()
    .trim()
    .replace(/\.jpeg$/, '.jpg');
}
