import { OptionError } from '../../errors.js';

/** A place in an S3-compatible store. */
export interface S3Address {
  readonly bucket: string;
  /** What keys begin with, without a slash at its end; empty for the whole bucket. */
  readonly prefix: string;
}

/** Returns whether a path is an address of an S3-compatible store. */
export const isS3Address = (path: string): boolean => /^s3:/i.test(path);

/**
 * Reads an address such as `s3://bucket/prefix`.
 * @throws OptionError if it is not one, or contains credentials
 */
export function readS3Address(address: string): S3Address {
  if (/^s3:\/\/[^/]*@/i.test(address))
    throw new OptionError(
      's3',
      'the address contains credentials, expected s3://bucket/prefix; credentials come from the environment or a profile',
    );
  const [, bucket, rest = ''] = /^s3:\/\/([a-z0-9][a-z0-9._-]{1,253}[a-z0-9])(?:\/(.*))?$/i.exec(address) ?? [];
  const prefix = rest.replace(/\/+$/, '');
  const isBad = prefix.split('/').some((segment) => /^\.{1,2}$/.test(segment)) || /\/\/|^\/|\p{Cc}/u.test(prefix);
  if (bucket === undefined || isBad)
    throw new OptionError('s3', `'${address}' is not an address, expected s3://bucket/prefix`);
  return { bucket, prefix };
}

/** Returns the key of a path below an address; of the address itself if the path is empty. */
export const keyBelow = ({ prefix }: S3Address, path: string): string =>
  path === '' ? prefix : prefix === '' ? path : `${prefix}/${path}`;

/** Returns the address of a path below an address, for messages. */
export const s3Name = (address: S3Address, path: string): string => `s3://${address.bucket}/${keyBelow(address, path)}`;
