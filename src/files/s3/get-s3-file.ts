import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InputError } from '../../errors.js';
import type { WrittenFile } from '../file-writer.js';
import { repeatBroken } from './repeat-broken.js';
import { keyBelow, type S3Address, s3Name } from './s3-address.js';
import { describeS3Error, s3Client, statusOf } from './s3-client.js';

/**
 * Reads an object into a new or existing file.
 * @returns its size and SHA-256; null if there is no such object
 * @throws InputError if it cannot be read; the system's error if the file cannot be written
 */
export async function getS3File(address: S3Address, path: string, file: string): Promise<WrittenFile | null> {
  const { client, sdk } = await s3Client();
  const target = { Bucket: address.bucket, Key: keyBelow(address, path) };
  const read = async (): Promise<WrittenFile> => {
    const hash = createHash('sha256');
    let bytes = 0;
    const { Body, ContentLength } = await client.send(new sdk.GetObjectCommand(target));
    const content = Body as Readable;
    content.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      bytes += chunk.length;
    });
    await pipeline(content, createWriteStream(file, { flush: true }));
    if (ContentLength !== undefined && bytes !== ContentLength)
      throw new InputError(s3Name(address, path), 'breaks off whenever it is read');
    return { bytes, sha256: hash.digest('hex') };
  };
  return repeatBroken(read, isFileError).catch((cause: unknown) => {
    if (statusOf(cause) === 404) return null;
    if (isFileError(cause) || cause instanceof InputError) throw cause;
    throw new InputError(s3Name(address, path), `cannot be read: ${describeS3Error(cause)}`, undefined, { cause });
  });
}

/** Tells errors of the file from those of the connection. */
const isFileError = (error: unknown) => /^(?:open|write|fsync)$/.test((error as NodeJS.ErrnoException).syscall ?? '');
