import type { GetObjectCommandInput } from '@aws-sdk/client-s3';
import PQueue from 'p-queue';
import { InputError, RecordError } from '../../errors.js';
import { listS3 } from '../s3/list-s3.js';
import { repeatBroken } from '../s3/repeat-broken.js';
import { keyBelow, readS3Address, type S3Address, s3Name } from '../s3/s3-address.js';
import { describeS3Error, s3Client, s3Endpoint, statusOf } from '../s3/s3-client.js';
import { safeRelativePath } from '../safe-relative-path.js';
import { ImageCatalog } from './image-catalog.js';
import type { ImageStore, StoredImage } from './image-store.js';
import { isTarFile } from './is-tar-file.js';
import { ObjectCache } from './object-cache.js';

/** Requests for images at the same time. */
const requests = new PQueue({ concurrency: 16 });

/** What is known of an object: size, and a tag that changes with the content. */
type Found = readonly [bytes: number, tag: string];

/**
 * Opens the images below an address of an S3-compatible store. The objects are listed once; those that are read are cached.
 * @throws OptionError if the address is not one; InputError if the store cannot be listed, or has shards there
 */
export async function openS3Images(where: string): Promise<ImageStore & { close(): Promise<void> }> {
  const address = readS3Address(where);
  const cache = ObjectCache.ofEnvironment();
  const reading = new Map<string, Promise<Buffer>>();
  const catalog = await ImageCatalog.of(objectsIn(where, address));
  const find = async (path: string): Promise<StoredImage | null> => {
    const [found] = await catalog.get(path);
    return found ? object(path, found) : null;
  };
  const object = (path: string, [bytes, tag]: Found): StoredImage => {
    const key = keyBelow(address, path);
    const name = s3Name(address, path);
    const id = JSON.stringify([s3Endpoint(), name, tag, bytes]);
    const request = (range?: string) =>
      getObject(name, { Bucket: address.bucket, Key: key, IfMatch: tag, ...(range !== undefined && { Range: range }) });
    const load = async (): Promise<Buffer> => {
      const cached = await cache.get(id);
      if (cached) return cached;
      const content = await request();
      if (content.length !== bytes)
        throw new RecordError('image-changed', `${name}: has ${content.length} bytes, expected ${bytes} as listed`);
      await cache.put(id, content);
      return content;
    };
    const read = (): Promise<Buffer> => {
      let content = reading.get(id);
      if (!content) {
        content = load().finally(() => reading.delete(id));
        reading.set(id, content);
      }
      return content;
    };
    const readStart = async (count: number): Promise<Buffer> => {
      if (count >= bytes) return read();
      return (await cache.get(id))?.subarray(0, count) ?? (await request(`bytes=0-${count - 1}`));
    };
    return { name, bytes, tag, read, readStart };
  };
  return { find, similar: (name) => catalog.similar(name), folders: catalog.folders, close: () => catalog.close() };
}

async function* objectsIn(where: string, address: S3Address): AsyncGenerator<readonly [string, Found]> {
  let [objects, shards] = [0, 0];
  for await (const { path, bytes, tag } of listS3(where, address)) {
    objects++;
    if (isTarFile(path)) shards++;
    if (safeRelativePath(path) === path && bytes > 0) yield [path, [bytes, tag]];
  }
  if (objects === 0) throw new InputError(where, 'has no objects; expected images below it');
  if (objects === shards)
    throw new InputError(where, 'has tar shards, which are read from a folder; copy them to one, or unpack them');
}

/** Reads an object or a range of it. */
function getObject(name: string, input: GetObjectCommandInput): Promise<Buffer> {
  return requests.add(async () => {
    const { client, sdk } = await s3Client();
    const read = async () => {
      const { Body } = await client.send(new sdk.GetObjectCommand(input));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    };
    return repeatBroken(read).catch((cause: unknown) => {
      throw readError(name, cause);
    });
  });
}

/** Rejects the image if only it is concerned, else ends the run. */
function readError(name: string, cause: unknown): RecordError | InputError {
  const problem = describeS3Error(cause);
  const status = statusOf(cause);
  if (status === 404) return new RecordError('image-missing', `${name}: ${problem}`, {}, { cause });
  if (status === 412) return new RecordError('image-changed', `${name}: changed since it was listed`, {}, { cause });
  if ((cause as Error).name === 'AccessDenied')
    return new RecordError('image-unreadable', `${name}: ${problem}`, {}, { cause });
  return new InputError(name, `cannot be read: ${problem}`, undefined, { cause });
}
