import { randomUUID } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';

/**
 * Writes a file atomically unless it exists. Processes on several machines may call it at the same time; one of them
 * writes the file.
 *
 * @returns false if the file already exists
 */
export async function writeIfAbsent(file: string, text: string): Promise<boolean> {
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    const handle = await open(partial, 'wx');
    try {
      await handle.writeFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    // Unlike a rename, a link does not replace what another process wrote in the meantime.
    await link(partial, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(partial, { force: true });
  }
}
