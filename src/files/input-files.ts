import { access, constants, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import fastGlob from 'fast-glob';
import { InputError } from '../errors.js';

/**
 * The files that a path or a glob stands for, sorted. What is there as written is meant as written, also folders at the
 * beginning of a glob: `a[1]/*.json` looks into the folder `a[1]` if there is one. A glob finds links to files, and
 * does not enter links to folders, which may lead in circles.
 * @throws InputError naming the pattern where there is none, or a file that can't be read
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
  // By code unit and not by locale, so that the order is the same everywhere.
  return files.sort();
}

/**
 * The path, once it is known that a file can be read there.
 * @throws InputError where it can't
 */
export async function inputFile(path: string): Promise<string> {
  if (path === '') throw new InputError("''", 'expected the path of a file');
  const found = await statOrNull(path);
  if (!found) throw new InputError(path, 'no such file');
  if (found.isDirectory()) throw new InputError(path, 'is a folder, expected a file');
  if (!found.isFile()) throw new InputError(path, 'is not a regular file: input is read more than once');
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    throw new InputError(path, "can't be read", undefined, { cause: error });
  }
  return path;
}

/** The deepest folder of a path that is there as written. */
async function deepestFolder(path: string): Promise<string> {
  const folder = dirname(path);
  return folder === path || (await statOrNull(folder))?.isDirectory() ? folder : deepestFolder(folder);
}

/** What a glob finds below a folder. Links count as what they are, not as files: whoever asks looks where they lead. */
async function globFiles(folder: string, glob: string): Promise<readonly string[]> {
  try {
    return await fastGlob(glob, { cwd: folder, onlyFiles: false, followSymbolicLinks: false });
  } catch (error) {
    throw new InputError(join(folder, glob), `can't be searched: ${(error as Error).message}`, undefined, {
      cause: error,
    });
  }
}

function statOrNull(path: string) {
  return stat(path).catch(() => null);
}
