import { readdir } from 'node:fs/promises';
import { isMissing } from './is-missing.js';

/** Lists the names in a folder; none when the folder does not exist. */
export async function listNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
