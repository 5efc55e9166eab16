import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from './system-error.js';

/**
 * Creates a folder and its parent folders unless they exist. Node.js's own `recursive` never ends where a folder exists
 * but cannot have others in it, such as `/proc`.
 *
 * @returns whether the folder was created by this call
 * @throws the error of the operating system when it cannot be created, or is a file
 */
export async function makeFolder(path: string): Promise<boolean> {
  if (await isFolder(path)) return false;
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    // Another process may have created it meanwhile.
    if (isSystemError(error) && error.code === 'EEXIST' && (await isFolder(path))) return false;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isDirectory() === true;
}
