import { access, constants, stat } from 'node:fs/promises';
import fastGlob from 'fast-glob';
import { InputError } from '../errors.js';

/**
 * The files that a path or a glob stands for, sorted.
 * @throws InputError naming the pattern where there is none, or a file that can't be read
 */
export async function inputFiles(pattern: string): Promise<readonly string[]> {
  const files = (await isFile(pattern)) ? [pattern] : await fastGlob(pattern, { onlyFiles: true, unique: true });
  if (files.length === 0) {
    throw new InputError(pattern, fastGlob.isDynamicPattern(pattern) ? 'no file matches' : 'no such file');
  }
  for (const file of files) {
    try {
      await access(file, constants.R_OK);
    } catch (error) {
      throw new InputError(file, "can't be read", undefined, { cause: error });
    }
  }
  // By code unit and not by locale, so that the order is the same everywhere.
  return files.sort();
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
