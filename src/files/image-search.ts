import { opendir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type ImagePath, pathTails } from './image-path.js';
import { hasImage, isInStore } from './image-stores/find-image-file.js';
import { openImageStore } from './image-stores/open-image-store.js';
import { isFile } from './is-file.js';
import { SimilarNames } from './similar-names.js';

/** The result of looking for the file of an image. */
export interface FoundImage {
  /** Path relative to `folder`, with forward slashes. */
  readonly file: string;
  readonly folder: string;
  /** False if the file is at another place than the path says: only the end of the path, or a similar base name, is the same. */
  readonly exact: boolean;
}

/** More subfolders than these are not searched for a base name. */
const maxFolders = 512;
const maxDepth = 4;

/** Where the files of images are looked for. */
export interface ImageSearchOptions {
  /** The image folder. */
  readonly folder: string | undefined;
  /** The folder of the annotation files. */
  readonly annotations: string;
  /** The folder of this annotation file, relative to `annotations`; empty if it is the same. */
  readonly below: string;
  /** The part of the data set in this annotation file, such as `train2017`, which is often the name of a folder. */
  readonly subset?: string;
  /** True if no two images of the data set have the same base name. */
  readonly uniqueNames?: boolean;
}

/** A folder, and a path below it at which the file names of a data set may begin. */
interface Place {
  readonly folder: string;
  readonly below: string;
  /** True if only paths with a folder are looked for, because other files may be here. */
  readonly onlyWithFolder?: boolean;
}

/**
 * Looks for the files of images: in the image folder at the path as written, then at the end of this path; next to the
 * annotation file and where the exports of annotation tools put images; in the subfolders of the image folder under the base
 * name; at last under a similar base name (see `SimilarNames`). It never looks outside these folders.
 */
export class ImageSearch {
  readonly #options: ImageSearchOptions;
  #places: Promise<readonly Place[]> | null = null;
  #subfolders: Promise<readonly string[]> | null = null;
  #similar: Promise<readonly { readonly folder: string; readonly names: SimilarNames }[]> | null = null;
  /** The subfolder of the last image that was found under its base name: the next one is often in the same. */
  #last = 0;

  constructor(options: ImageSearchOptions) {
    this.#options = options;
  }

  /**
   * Returns where the file of an image is; null if it is in none of the folders, and the subfolders that have it if they
   * are several.
   * @param candidates the usual paths relative to the image folder
   */
  async find(path: ImagePath, candidates: readonly string[]): Promise<FoundImage | readonly string[] | null> {
    const tails = pathTails(path);
    const { folder } = this.#options;
    if (folder !== undefined) {
      const found = (await this.#first(folder, candidates, true)) ?? (await this.#first(folder, tails, false));
      if (found) return found;
    }
    this.#places ??= existingPlaces(this.#options);
    const places = await this.#places;
    for (const paths of [candidates, tails])
      for (const { folder: root, below, onlyWithFolder } of places) {
        const usable = onlyWithFolder ? paths.filter((file) => !path.outside && file.includes('/')) : paths;
        const files = usable.map((file) => (below ? `${below}/${file}` : file));
        const found = await this.#first(root, files, paths === candidates);
        if (found) return found;
      }
    const name = tails.at(-1) ?? path.whole;
    if (folder !== undefined) {
      const below = await this.#findBelow(folder, name);
      if (below.length > 1) return below;
      if (below[0] !== undefined) return { file: below[0], folder, exact: false };
    }
    return this.#findSimilar(name);
  }

  /** Returns the first file of a folder; images in shards and stores are looked for in the image folder alone. */
  async #first(folder: string, paths: readonly string[], exact: boolean): Promise<FoundImage | null> {
    const isThere = folder === this.#options.folder ? hasImage : isFileBelow;
    for (const file of paths) if (await isThere(folder, file)) return { file, folder, exact };
    return null;
  }

  async #findSimilar(name: string): Promise<FoundImage | readonly string[] | null> {
    this.#similar ??= this.#similarNames();
    for (const { folder, names } of await this.#similar) {
      const found = await names.find(name);
      if (found.length > 1) return found;
      if (found[0] !== undefined && (await isFileBelow(folder, found[0]))) {
        return { file: found[0], folder, exact: false };
      }
    }
    const { folder } = this.#options;
    const stored = folder === undefined ? [] : ((await (await openImageStore(folder))?.similar(name)) ?? []);
    if (stored.length > 1) return stored;
    return stored[0] === undefined ? null : { file: stored[0], folder: folder as string, exact: false };
  }

  async #similarNames() {
    const { folder } = this.#options;
    const folders = new Map<string, Set<string>>();
    if (folder !== undefined) folders.set(folder, new Set(['', ...(await subfoldersOf(folder))]));
    for (const place of (await this.#places) ?? []) {
      if (place.onlyWithFolder) continue;
      folders.set(place.folder, (folders.get(place.folder) ?? new Set()).add(place.below));
    }
    return [...folders].map(([root, below]) => ({ folder: root, names: new SimilarNames(root, [...below]) }));
  }

  /** Returns the paths of the files with a base name in the subfolders of the image folder. */
  async #findBelow(folder: string, name: string): Promise<string[]> {
    this.#subfolders ??= subfoldersOf(folder);
    const subfolders = await this.#subfolders;
    const found: string[] = [];
    const { uniqueNames = false } = this.#options;
    const start = this.#last;
    for (let k = 0; k < subfolders.length; k++) {
      const index = (start + k) % subfolders.length;
      const file = `${subfolders[index]}/${name}`;
      if (!(await hasImage(folder, file))) continue;
      if (found.length === 0) this.#last = index;
      found.push(file);
      if (uniqueNames) break;
    }
    return found.sort();
  }
}

/**
 * Returns the folder that holds both the annotations and the images of a data set, if the annotation files are in a folder of
 * their own, as CVAT, Datumaro and COCO have it: `annotations/instances_train.json` next to `images/` or `train/`.
 */
export function folderAboveAnnotations(folder: string): string | undefined {
  const isOwn = (path: string) => /^(?:annotations?|anns?|labels?)$/i.test(basename(path));
  const path = resolve(folder);
  if (isOwn(path)) return join(folder, '..');
  // labels/train
  return isOwn(dirname(path)) ? join(folder, '../..') : undefined;
}

/** Returns the places at which images may be besides the image folder itself, as far as they exist. */
async function existingPlaces({ folder, annotations, below, subset = '' }: ImageSearchOptions): Promise<Place[]> {
  const inner = ['images', 'data', 'JPEGImages', ...(subset === '' ? [] : [`images/${subset}`, subset])];
  const innerOf = (root: string, at: string): Place[] =>
    inner.map((name) => ({ folder: root, below: at === '' ? name : `${at}/${name}` }));
  const above = folderAboveAnnotations(join(annotations, below));
  const places = [
    ...(folder === undefined ? [] : innerOf(folder, '')),
    { folder: annotations, below },
    ...innerOf(annotations, below),
    ...(above === undefined ? [] : [...innerOf(above, ''), { folder: above, below: '', onlyWithFolder: true }]),
  ];
  const exist = await Promise.all(places.map((place) => isFolder(place, folder)));
  return places.filter((_, index) => exist[index]);
}

const isFileBelow = (folder: string, file: string): Promise<boolean> => isFile(join(folder, file));

/** Returns whether there is a folder on disk or, in the image folder, in its shards or store. */
async function isFolder({ folder, below }: Place, images: string | undefined): Promise<boolean> {
  if (!isInStore(folder) && (await stat(join(folder, below)).catch(() => null))?.isDirectory()) return true;
  return folder === images && ((await openImageStore(folder))?.folders.includes(below) ?? false);
}

/** Returns the subfolders of an image folder in a fixed order, relative to it, then those of its images in shards or a store; none if they are too many. */
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
  const stored = (await openImageStore(folder))?.folders ?? [];
  return [...all, ...stored.filter((path) => !all.includes(path))];
}
