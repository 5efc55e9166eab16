import { createHash, randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from './make-folder.js';
import { syncFolder } from './sync-folder.js';
import { wrapFileErrors } from './wrap-io-errors.js';

/** Number of characters that are buffered before they are written. */
const BUFFERED = 1 << 20;

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
): Promise<{ bytes: number; sha256: string }> {
  // A new name, so that neither a file of somebody else nor the target of a link is written to.
  const partial = `${file}.${randomUUID()}.partial`;
  const handle = await wrapFileErrors(file, async () => {
    await makeFolder(dirname(file));
    return open(partial, 'wx');
  });
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    let buffered: string[] = [];
    let bufferedLength = 0;
    const flush = async () => {
      const buffer = Buffer.from(buffered.join(''));
      buffered = [];
      bufferedLength = 0;
      hash.update(buffer);
      bytes += buffer.length;
      await wrapFileErrors(file, () => handle.writeFile(buffer));
    };
    for await (const piece of pieces) {
      buffered.push(piece);
      bufferedLength += piece.length;
      if (bufferedLength > BUFFERED) await flush();
    }
    await flush();
    await wrapFileErrors(file, async () => {
      await handle.datasync();
      await handle.close();
      await rename(partial, file);
      await syncFolder(dirname(file));
    });
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(partial, { force: true }).catch(() => {});
    throw error;
  }
  return { bytes, sha256: hash.digest('hex') };
}
