import { stat } from 'node:fs/promises';
import { InputError } from '../../errors.js';
import { isS3Address } from '../s3/s3-address.js';
import { s3Endpoint } from '../s3/s3-client.js';
import type { ImageStore } from './image-store.js';
import { isTarFile } from './is-tar-file.js';

/** Stores are listed again after this time in milliseconds, so that programs that run for days find new images. */
const LIFETIME = 3_600_000;

/** A store that is replaced stays open for this time in milliseconds, for those who still read from it. */
const GRACE = 60_000;

type Opened = Promise<(ImageStore & { close(): Promise<void> }) | null>;

const stores = new Map<string, { readonly store: Opened; readonly openedAt: number }>();

/**
 * Returns the images of a tar file, of the tar files in a folder, or below an `s3://` address; null for a folder without tar
 * files and for a path at which nothing is. A store is opened once in a process.
 * @throws InputError if it cannot be read; OptionError if an address is not one
 */
export function openImageStore(where: string): Promise<ImageStore | null> {
  const key = JSON.stringify([where, s3Endpoint()]);
  const found = stores.get(key);
  const now = Date.now();
  if (found && now - found.openedAt < LIFETIME) return found.store;
  const store = open(where);
  stores.set(key, { store, openedAt: now });
  store.catch(() => stores.delete(key));
  if (found) setTimeout(() => void found.store.then((old) => old?.close()).catch(() => {}), GRACE).unref();
  return store;
}

async function open(where: string): Opened {
  if (isS3Address(where)) return (await import('./s3-images.js')).openS3Images(where);
  const found = await stat(where).catch(() => null);
  if (!found && isTarFile(where)) throw new InputError(where, 'no such file');
  if (!found) return null;
  return (await import('./tar-shards.js')).openTarShards(where);
}
