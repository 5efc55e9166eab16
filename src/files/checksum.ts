import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/**
 * Size and SHA-256 of a file.
 *
 * @param onRead told of each piece's size in bytes; what it throws ends the reading
 */
export async function checksum(
  file: string,
  onRead?: (bytes: number) => void,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    bytes += (chunk as Buffer).length;
    onRead?.((chunk as Buffer).length);
    hash.update(chunk as Buffer);
  }
  return { bytes, sha256: hash.digest('hex') };
}
