import { opendir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ImagePath, pathTails } from './image-path.js';

/** The result of looking for the file of an image. */
export interface FoundImage {
  /** Path relative to `folder`, with forward slashes. */
  readonly file: string;
  readonly folder: string;
  /** False if the file is at another place than the path says: only the end of the path, or the base name, is the same. */
  readonly exact: boolean;
}

/** More subfolders than these are not searched for a base name. */
const maxFolders = 512;
const maxDepth = 4;

/**
 * Looks for the files of images: in the image folder at the path as written, then at the end of this path; next to the
 * annotation file; and in the subfolders of the image folder under the base name. It never looks outside these folders.
 */
export class ImageSearch {
  readonly #folder: string | undefined;
  readonly #annotations: string;
  readonly #below: string;
  readonly #uniqueNames: boolean;
  #subfolders: Promise<readonly string[]> | null = null;
  /** The subfolder of the last image that was found under its base name: the next one is often in the same. */
  #last = 0;

  /**
   * @param folder the image folder
   * @param annotations the folder of the annotation files
   * @param below the folder of this annotation file, relative to `annotations`; empty if it is the same
   * @param uniqueNames true if no two images of the data set have the same base name
   */
  constructor(folder: string | undefined, annotations: string, below: string, uniqueNames: boolean) {
    this.#folder = folder;
    this.#annotations = annotations;
    this.#below = below;
    this.#uniqueNames = uniqueNames;
  }

  /**
   * Returns where the file of an image is; null if it is in none of the folders, and the subfolders that have it if they
   * are several.
   * @param candidates the usual paths relative to the image folder
   */
  async find(path: ImagePath, candidates: readonly string[]): Promise<FoundImage | readonly string[] | null> {
    const tails = pathTails(path);
    const folder = this.#folder;
    if (folder !== undefined) {
      const found = (await firstFile(folder, candidates, true)) ?? (await firstFile(folder, tails, false));
      if (found) return found;
    }
    const nextTo = (paths: readonly string[]) => paths.map((file) => (this.#below ? `${this.#below}/${file}` : file));
    const inImages = tails.length === 0 ? [`images/${path.whole}`] : [];
    const found =
      (await firstFile(this.#annotations, nextTo(candidates), true)) ??
      (await firstFile(this.#annotations, nextTo([...tails, ...inImages]), false));
    if (found || folder === undefined) return found;
    const below = await this.#findBelow(folder, tails.at(-1) ?? path.whole);
    if (below.length > 1) return below;
    return below[0] === undefined ? null : { file: below[0], folder, exact: false };
  }

  /** Returns the paths of the files with a base name in the subfolders of the image folder. */
  async #findBelow(folder: string, name: string): Promise<string[]> {
    this.#subfolders ??= subfoldersOf(folder);
    const subfolders = await this.#subfolders;
    const found: string[] = [];
    const start = this.#last;
    for (let k = 0; k < subfolders.length; k++) {
      const index = (start + k) % subfolders.length;
      const file = `${subfolders[index]}/${name}`;
      if (!(await isFile(join(folder, file)))) continue;
      if (found.length === 0) this.#last = index;
      found.push(file);
      if (this.#uniqueNames) break;
    }
    return found.sort();
  }
}

async function firstFile(folder: string, paths: readonly string[], exact: boolean): Promise<FoundImage | null> {
  for (const file of paths) if (await isFile(join(folder, file))) return { file, folder, exact };
  return null;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}

/** Returns the subfolders of a folder in a fixed order, relative to it; none if they are too many. */
async function subfoldersOf(folder: string): Promise<readonly string[]> {
  const all: string[] = [];
  let level = [''];
  for (let depth = 0; depth < maxDepth && level.length > 0; depth++) {
    const next: string[] = [];
    for (const parent of level) {
      const entries = await opendir(join(folder, parent)).catch(() => null);
      if (!entries) continue;
      for await (const entry of entries) {
        if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
        next.push(parent === '' ? entry.name : `${parent}/${entry.name}`);
        if (all.length + next.length > maxFolders) return [];
      }
    }
    next.sort();
    all.push(...next);
    level = next;
  }
  return all;
}

/** Returns the path of an image's file in the first of several folders that has it; in the first one if none has. */
export async function imageIn(folders: string | readonly string[], file: string): Promise<string> {
  if (typeof folders === 'string') return join(folders, file);
  for (const folder of folders) if (await isFile(join(folder, file))) return join(folder, file);
  return join(folders[0] ?? dirname(file), file);
}
