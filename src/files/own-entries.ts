import type { Dirent } from 'node:fs';
import { readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './is-missing.js';

/** Paths of a folder, relative to it and with forward slashes, that relflow writes. */
export interface OwnPaths {
  readonly isFile: (path: string) => boolean;
  readonly isFolder: (path: string) => boolean;
  /** Own entries that are never removed, whatever they contain, such as a lock. */
  readonly isKept?: (path: string) => boolean;
}

/** The entries of a folder, by whether relflow wrote them. */
export interface SortedEntries {
  /** Regular files at own paths. */
  readonly files: readonly string[];
  /** Own folders, each after the folders in it. */
  readonly folders: readonly string[];
  /** All other entries; of a folder that is not relflow's, only the folder. */
  readonly foreign: readonly string[];
  /** Links at own paths; they are never followed. */
  readonly links: readonly string[];
}

/** Files that desktops write into any folder: they are neither removed nor in the way. */
const IGNORED = /(?:^|\/)(?:\.DS_Store|Thumbs\.db|desktop\.ini)$/;

/** Sorts the entries of a folder and of its own subfolders, without following links. */
export async function sortEntries(root: string, own: OwnPaths): Promise<SortedEntries> {
  const sorted = { files: [] as string[], folders: [] as string[], foreign: [] as string[], links: [] as string[] };
  const visit = async (below: string) => {
    for (const entry of await entriesOf(join(root, below))) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      const isKept = own.isKept?.(path) ?? false;
      if (entry.isSymbolicLink() && (isKept || own.isFile(path) || own.isFolder(path))) sorted.links.push(path);
      else if (isKept || IGNORED.test(path)) continue;
      else if (entry.isFile() && own.isFile(path)) sorted.files.push(path);
      else if (entry.isDirectory() && own.isFolder(path)) {
        await visit(path);
        sorted.folders.push(path);
      } else sorted.foreign.push(path);
    }
  };
  await visit('');
  return sorted;
}

/** Removes files, then the folders that are empty. What others add in the meantime stays. */
export async function removeEntries(
  root: string,
  { files, folders }: Pick<SortedEntries, 'files' | 'folders'>,
): Promise<void> {
  for (const file of files) await unlink(join(root, file)).catch(ignoreMissing);
  for (const folder of folders) {
    await rmdir(join(root, folder)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') ignoreMissing(error);
    });
  }
}

/** The number of entries that a message names. */
const MOST_NAMED = 3;

/** Names the first of several entries: `photos, notes.txt and 3 more`. */
export function nameEntries(entries: readonly string[]): string {
  const named = entries.slice(0, MOST_NAMED).join(', ');
  return entries.length > MOST_NAMED ? `${named} and ${entries.length - MOST_NAMED} more` : named;
}

/** Returns the folders that a relative path is in: `a` and `a/b` for `a/b/c`. */
export function parentsOf(path: string): string[] {
  const segments = path.split('/').slice(0, -1);
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}
