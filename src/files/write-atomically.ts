import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileWriter, type WrittenFile } from './file-writer.js';
import { syncFolder } from './sync-folder.js';
import { wrapFileErrors } from './wrap-io-errors.js';

/**
 * Writes a file piece by piece. The file appears under its name only when it is complete and on disk: it is written
 * next to its place, under a name that no other process uses, and then renamed.
 *
 * @returns the size in bytes and the SHA-256 of the file
 * @throws OutputError when the file cannot be written
 */
export async function writeAtomically(
  file: string,
  pieces: AsyncIterable<string> | Iterable<string>,
): Promise<WrittenFile> {
  const partial = partialName(file);
  const writer = await FileWriter.open(partial, file);
  try {
    for await (const piece of pieces) await writer.write(piece);
    const written = await writer.close();
    await wrapFileErrors(file, async () => {
      await rename(partial, file);
      await syncFolder(dirname(file));
    });
    return written;
  } catch (error) {
    await writer.abandon();
    await rm(partial, { force: true }).catch(() => {});
    throw error;
  }
}

/**
 * Returns a new name next to a file or folder for one that is not complete, so that neither a file of somebody else nor the
 * target of a link is written to.
 */
export const partialName = (path: string): string => `${path}.${randomUUID()}.partial`;
