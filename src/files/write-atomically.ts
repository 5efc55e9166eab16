import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file piece by piece, which appears under its name only when it is whole.
 *
 * @returns its size in bytes and its SHA-256
 */
export async function writeAtomically(
  file: string,
  pieces: AsyncIterable<string> | Iterable<string>,
): Promise<{ bytes: number; sha256: string }> {
  await mkdir(dirname(file), { recursive: true });
  const partial = `${file}.partial`;
  const handle = await open(partial, 'w');
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    let waiting: string[] = [];
    let waitingLength = 0;
    const flush = async () => {
      const buffer = Buffer.from(waiting.join(''));
      waiting = [];
      waitingLength = 0;
      hash.update(buffer);
      bytes += buffer.length;
      await handle.writeFile(buffer);
    };
    for await (const piece of pieces) {
      waiting.push(piece);
      waitingLength += piece.length;
      if (waitingLength > 1 << 20) await flush();
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
