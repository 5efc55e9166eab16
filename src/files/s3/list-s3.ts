import { InputError } from '../../errors.js';
import type { S3Address } from './s3-address.js';
import { describeS3Error, s3Client } from './s3-client.js';

/** An object of a store. */
export interface S3Object {
  /** Its key, below the prefix of the address. */
  readonly path: string;
  readonly bytes: number;
  /** The ETag, which changes with the content. */
  readonly tag: string;
}

/**
 * Lists the objects below an address in the order of their keys.
 * @param where the address as the user wrote it, for errors
 * @throws InputError if they cannot be listed
 */
export async function* listS3(where: string, address: S3Address): AsyncGenerator<S3Object, void> {
  const { client, sdk } = await s3Client();
  const prefix = address.prefix === '' ? '' : `${address.prefix}/`;
  for (let next: string | undefined; ; ) {
    const page = await client
      .send(
        new sdk.ListObjectsV2Command({
          Bucket: address.bucket,
          Prefix: prefix,
          ...(next !== undefined && { ContinuationToken: next }),
        }),
      )
      .catch((cause: unknown) => {
        throw new InputError(where, `cannot be listed: ${describeS3Error(cause)}`, undefined, { cause });
      });
    for (const { Key = '', Size = 0, ETag = '' } of page.Contents ?? [])
      yield { path: Key.slice(prefix.length), bytes: Size, tag: ETag };
    next = page.NextContinuationToken;
    if (next === undefined || !page.IsTruncated) return;
  }
}
