import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { withPath } from './system-error.js';

/**
 * Computes the size and the SHA-256 of a file.
 *
 * @param onRead called with the size in bytes of each piece; an error that it throws stops the reading
 */
export async function checksum(
  file: string,
  onRead?: (bytes: number) => void,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
      bytes += (chunk as Buffer).length;
      onRead?.((chunk as Buffer).length);
      hash.update(chunk as Buffer);
    }
  } catch (error) {
    throw withPath(error, file);
  }
  return { bytes, sha256: hash.digest('hex') };
}
