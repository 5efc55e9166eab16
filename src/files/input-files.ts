import { statSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import fastGlob from 'fast-glob';
import { InputError } from '../errors.js';

/**
 * Returns the files that match a path or a glob, sorted by code unit. Existing paths are taken literally, and so are
 * existing folders at the start of a glob: `a[1]/*.json` searches the folder `a[1]` if it exists. A glob matches links
 * to files but does not follow links to folders, which may be cyclic.
 * @throws InputError if no file matches or a file cannot be read
 */
export async function inputFiles(pattern: string): Promise<readonly string[]> {
  if (pattern === '' || (await statOrNull(pattern))) return [await inputFile(pattern)];
  const folder = await deepestFolder(pattern);
  const glob = relative(folder, pattern).replaceAll(sep, '/');
  if (!fastGlob.isDynamicPattern(glob)) return [await inputFile(pattern)];
  const files: string[] = [];
  for (const name of await globFiles(folder, glob)) {
    const path = join(folder, name);
    if (!(await statOrNull(path))?.isDirectory()) files.push(await inputFile(path));
  }
  if (files.length === 0) throw new InputError(pattern, 'no file matches; ()[]{}*?! are special in a glob');
  // By code unit, not by locale, so that the order is the same on every machine.
  return files.sort();
}

/**
 * Returns the files that a path or glob matches or, of a folder, those in it and in its subfolders that have an extension.
 * @param extension with its dot: `.xml`
 * @throws as `inputFiles`
 */
export async function inputFilesIn(pattern: string, extension: string): Promise<readonly string[]> {
  if (!(await statOrNull(pattern))?.isDirectory()) return inputFiles(pattern);
  const names = (await filesBelow(pattern)).filter((name) => name.toLowerCase().endsWith(extension));
  const files: string[] = [];
  for (const name of names) files.push(await inputFile(join(pattern, name)));
  if (files.length === 0) throw new InputError(pattern, `has no file *${extension}`);
  return files.sort();
}

/**
 * Returns the folder in which, or below which, the files of a path or glob are: the deepest one that exists as written.
 */
export function folderOfInputs(pattern: string): string {
  if (pattern !== '' && statSync(pattern, { throwIfNoEntry: false })?.isDirectory()) return pattern;
  const folder = dirname(pattern);
  const found = folder === dirname(folder) || statSync(folder, { throwIfNoEntry: false })?.isDirectory();
  return found ? folder : folderOfInputs(folder);
}

/**
 * Checks that a path is a readable regular file.
 * @returns the path
 * @throws InputError if it is not
 */
export async function inputFile(path: string): Promise<string> {
  if (path === '') throw new InputError("''", 'expected the path of a file');
  const found = await statOrNull(path);
  if (!found) throw new InputError(path, 'no such file');
  if (found.isDirectory()) throw new InputError(path, 'is a folder, expected a file');
  if (!found.isFile()) throw new InputError(path, 'is not a regular file: input files are read more than once');
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    throw new InputError(path, `cannot be read: ${(error as Error).message}`, undefined, { cause: error });
  }
  return path;
}

/** Returns the deepest parent folder of a path that exists as written. */
async function deepestFolder(path: string): Promise<string> {
  const folder = dirname(path);
  return folder === path || (await statOrNull(folder))?.isDirectory() ? folder : deepestFolder(folder);
}

/** Resolves to the paths in a folder and its subfolders, relative to it, links included but not followed; none if it does not exist. */
export function filesBelow(folder: string): Promise<readonly string[]> {
  return fastGlob('**/*', { cwd: folder, onlyFiles: false, followSymbolicLinks: false, suppressErrors: true });
}

/** Returns the paths below a folder that match a glob. They include links, which the caller must resolve. */
async function globFiles(folder: string, glob: string): Promise<readonly string[]> {
  try {
    return await fastGlob(glob, { cwd: folder, onlyFiles: false, followSymbolicLinks: false });
  } catch (error) {
    throw new InputError(join(folder, glob), `cannot be searched: ${(error as Error).message}`, undefined, {
      cause: error,
    });
  }
}

function statOrNull(path: string) {
  return stat(path).catch(() => null);
}
