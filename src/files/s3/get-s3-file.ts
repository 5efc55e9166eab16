import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { InputError } from '../../errors.js';
import type { WrittenFile } from '../file-writer.js';
import { keyBelow, type S3Address, s3Name } from './s3-address.js';
import { describeS3Error, s3Client, statusOf } from './s3-client.js';

/** Attempts for responses that break off; the client repeats requests that fail. */
const ATTEMPTS = 5;

/**
 * Reads an object into a new or existing file.
 * @returns its size and SHA-256; null if there is no such object
 * @throws InputError if it cannot be read; the system's error if the file cannot be written
 */
export async function getS3File(address: S3Address, path: string, file: string): Promise<WrittenFile | null> {
  const { client, sdk } = await s3Client();
  const target = { Bucket: address.bucket, Key: keyBelow(address, path) };
  for (let attempt = 1; ; attempt++) {
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      const { Body, ContentLength } = await client.send(new sdk.GetObjectCommand(target));
      const content = Body as Readable;
      content.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        bytes += chunk.length;
      });
      await pipeline(content, createWriteStream(file, { flush: true }));
      if (ContentLength === undefined || bytes === ContentLength) return { bytes, sha256: hash.digest('hex') };
    } catch (cause) {
      const status = statusOf(cause);
      if (status === 404) return null;
      const { syscall, name } = cause as NodeJS.ErrnoException;
      // Errors of the file, which are not those of the connection.
      if (syscall === 'open' || syscall === 'write' || syscall === 'fsync') throw cause;
      if (status !== null || name === 'CredentialsProviderError' || attempt === ATTEMPTS)
        throw new InputError(s3Name(address, path), `cannot be read: ${describeS3Error(cause)}`, undefined, { cause });
    }
    if (attempt === ATTEMPTS) throw new InputError(s3Name(address, path), 'breaks off whenever it is read');
    await setTimeout(100 * 2 ** attempt);
  }
}
