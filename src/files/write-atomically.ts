import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file piece by piece. The file appears under its name only when it is complete: it is written next to its
 * place and then renamed.
 *
 * @returns the size in bytes and the SHA-256 of the file
 */
export async function writeAtomically(
  file: string,
  pieces: AsyncIterable<string> | Iterable<string>,
): Promise<{ bytes: number; sha256: string }> {
  await mkdir(dirname(file), { recursive: true });
  // A new name, so that neither a file of somebody else nor the target of a link is written to.
  const partial = `${file}.${randomUUID()}.partial`;
  const handle = await open(partial, 'wx');
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
      await handle.writeFile(buffer);
    };
    for await (const piece of pieces) {
      buffered.push(piece);
      bufferedLength += piece.length;
      if (bufferedLength > 1 << 20) await flush();
    }
    await flush();
    await handle.datasync();
    await handle.close();
    await rename(partial, file);
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(partial, { force: true });
    throw error;
  }
  return { bytes, sha256: hash.digest('hex') };
}
