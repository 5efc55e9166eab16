import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import PQueue from 'p-queue';
import { OutputError } from '../../errors.js';
import { readBytes } from '../read-bytes.js';
import { keyBelow, type S3Address, s3Name } from './s3-address.js';
import { describeS3Error, type S3, s3Client, statusOf } from './s3-client.js';

/** The part of a file that one request carries, in bytes; larger files are written in parts. */
const PART = 16 << 20;

/** The most parts of an object. */
const MAX_PARTS = 10_000;

/** Requests that write at the same time, each with a part in memory. */
const writes = new PQueue({ concurrency: 6 });

/** The name under which an object has the SHA-256 of its content. */
const SHA256 = 'relflow-sha256';

/** A file with its size in bytes and its SHA-256, in hexadecimal. */
export interface CheckedFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Writes a file to an object, which appears when it is complete: the store checks the SHA-256 of what it receives, and an
 * upload in parts is aborted when it fails. An object with the same content is left as it is.
 * @returns false if the object had the same content
 * @throws OutputError if it cannot be written
 */
export async function putS3File(
  address: S3Address,
  path: string,
  { file, bytes, sha256 }: CheckedFile,
): Promise<boolean> {
  const target = { Bucket: address.bucket, Key: keyBelow(address, path) };
  const s3 = await s3Client();
  return failing(s3Name(address, path), async () => {
    const found = await headS3(s3, target);
    if (found?.bytes === bytes && found.sha256 === sha256) return false;
    const handle = await open(file);
    try {
      const metadata = { [SHA256]: sha256 };
      const part = Math.max(PART, Math.ceil(bytes / MAX_PARTS));
      if (bytes > part)
        await putParts(s3, { ...target, Metadata: metadata }, { bytes, part }, (at, length) =>
          readBytes(handle, at, length),
        );
      else {
        await writes.add(async () => {
          const Body = await readBytes(handle, 0, bytes);
          await s3.client.send(
            new s3.sdk.PutObjectCommand({ ...target, Body, Metadata: metadata, ChecksumSHA256: sha256Of(Body) }),
          );
        });
      }
    } finally {
      await handle.close();
    }
    return true;
  });
}

/** Writes a small text to an object. @throws OutputError if it cannot be written */
export async function putS3Text(address: S3Address, path: string, text: string): Promise<void> {
  const { client, sdk } = await s3Client();
  const Body = Buffer.from(text);
  const target = { Bucket: address.bucket, Key: keyBelow(address, path), ChecksumSHA256: sha256Of(Body) };
  const Metadata = { [SHA256]: createHash('sha256').update(Body).digest('hex') };
  await failing(s3Name(address, path), () => client.send(new sdk.PutObjectCommand({ ...target, Body, Metadata })));
}

/** Removes an object. @throws OutputError if it cannot be removed */
export async function removeS3Object(address: S3Address, path: string): Promise<void> {
  const { client, sdk } = await s3Client();
  const target = { Bucket: address.bucket, Key: keyBelow(address, path) };
  await failing(s3Name(address, path), () => client.send(new sdk.DeleteObjectCommand(target)));
}

/**
 * Returns the size of an object, and the SHA-256 that it was written with if relflow wrote it; null if there is none.
 * @throws OutputError if the store does not say
 */
export async function statS3Object(
  address: S3Address,
  path: string,
): Promise<{ bytes: number; sha256: string | null } | null> {
  const target = { Bucket: address.bucket, Key: keyBelow(address, path) };
  const s3 = await s3Client();
  return failing(s3Name(address, path), () => headS3(s3, target));
}

async function headS3({ client, sdk }: S3, target: { readonly Bucket: string; readonly Key: string }) {
  try {
    const { ContentLength = 0, Metadata } = await client.send(new sdk.HeadObjectCommand(target));
    return { bytes: ContentLength, sha256: Metadata?.[SHA256] ?? null };
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

async function putParts(
  { client, sdk }: S3,
  target: { readonly Bucket: string; readonly Key: string; readonly Metadata: Record<string, string> },
  { bytes, part }: { readonly bytes: number; readonly part: number },
  read: (at: number, length: number) => Promise<Buffer>,
): Promise<void> {
  const { Metadata, ...place } = target;
  const { UploadId } = await client.send(
    new sdk.CreateMultipartUploadCommand({ ...place, Metadata, ChecksumAlgorithm: 'SHA256' }),
  );
  const upload = { ...place, UploadId };
  let hasFailed = false;
  try {
    const count = Math.ceil(bytes / part);
    const numbers = Array.from({ length: count }, (_, k) => k + 1);
    const Parts = await writes.addAll(
      numbers.map((PartNumber) => async () => {
        if (hasFailed) return {};
        const at = (PartNumber - 1) * part;
        const Body = await read(at, Math.min(part, bytes - at));
        const ChecksumSHA256 = sha256Of(Body);
        const { ETag } = await client.send(new sdk.UploadPartCommand({ ...upload, PartNumber, Body, ChecksumSHA256 }));
        return { PartNumber, ETag, ChecksumSHA256 };
      }),
    );
    await client.send(new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  } catch (error) {
    hasFailed = true;
    await client.send(new sdk.AbortMultipartUploadCommand(upload)).catch(() => {});
    throw error;
  }
}

/**
 * Aborts the uploads in parts below an address that a killed process left, which cost what their parts need. Stores that do not
 * list them are left alone.
 */
export async function abortS3Uploads(address: S3Address): Promise<void> {
  const { client, sdk } = await s3Client();
  const Prefix = address.prefix;
  const { Uploads = [] } = await client
    .send(new sdk.ListMultipartUploadsCommand({ Bucket: address.bucket, Prefix }))
    .catch(() => ({ Uploads: [] }));
  for (const { Key, UploadId } of Uploads)
    if (Key === Prefix || Prefix === '' || Key?.startsWith(`${Prefix}/`))
      await client.send(new sdk.AbortMultipartUploadCommand({ Bucket: address.bucket, Key, UploadId })).catch(() => {});
}

const sha256Of = (content: Uint8Array): string => createHash('sha256').update(content).digest('base64');

async function failing<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new OutputError(name, `cannot be written: ${describeS3Error(cause)}`, { cause });
  }
}
