import { stat } from 'node:fs/promises';

/** Resolves to whether a regular file, or a link to one, is at a path. */
export async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}
