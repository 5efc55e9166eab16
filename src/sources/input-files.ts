import { access, constants, stat } from 'node:fs/promises';
import fastGlob from 'fast-glob';
import { InputError } from '../errors.js';

/**
 * The files that a path or a glob stands for, sorted.
 * @throws InputError naming the pattern where there is none, or a file that can't be read
 */
export async function inputFiles(pattern: string): Promise<readonly string[]> {
  if ((await isFile(pattern)) || !fastGlob.isDynamicPattern(pattern)) return [await inputFile(pattern)];
  const files = await fastGlob(pattern, { onlyFiles: true, unique: true });
  if (files.length === 0) throw new InputError(pattern, 'no file matches');
  // By code unit and not by locale, so that the order is the same everywhere.
  return Promise.all(files.sort().map(inputFile));
}

/**
 * The path, once it is known that a file can be read there.
 * @throws InputError where it can't
 */
export async function inputFile(path: string): Promise<string> {
  if (!(await isFile(path))) throw new InputError(path, 'no such file');
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    throw new InputError(path, "can't be read", undefined, { cause: error });
  }
  return path;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
