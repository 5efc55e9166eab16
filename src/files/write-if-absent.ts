import { randomUUID } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from './sync-folder.js';
import { isSystemError } from './system-error.js';
import { wrapFileErrors } from './wrap-io-errors.js';

/**
 * Writes a file atomically unless it exists. Processes on several machines may call it at the same time; one of them
 * writes the file.
 *
 * @returns false if the file already exists
 * @throws OutputError when the file cannot be written
 */
export async function writeIfAbsent(file: string, text: string): Promise<boolean> {
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    return await wrapFileErrors(file, async () => {
      const handle = await open(partial, 'wx');
      try {
        await handle.writeFile(text);
        await handle.datasync();
      } finally {
        await handle.close();
      }
      try {
        // Unlike a rename, a link does not replace what another process wrote in the meantime.
        await link(partial, file);
      } catch (error) {
        if (isSystemError(error) && error.code === 'EEXIST') return false;
        throw error;
      }
      await syncFolder(dirname(file));
      return true;
    });
  } finally {
    await rm(partial, { force: true }).catch(() => {});
  }
}
