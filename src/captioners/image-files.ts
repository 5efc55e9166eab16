import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs';
import { promisify } from 'node:util';
import { RecordError } from '../errors.js';
import { checkImageFolder } from '../files/image-folder.js';
import { findImageFile, imageContent } from '../files/image-stores/find-image-file.js';
import type { Image } from '../records/image.js';

/** The content of an image file. */
export interface ImageFile {
  readonly bytes: Buffer;
  /** The SHA-256 of the file, in hexadecimal. */
  readonly sha256: string;
}

/** The maximum size of an image file. */
const MAX_BYTES = 64 * 2 ** 20;

// For small files these take a third of the time of node:fs/promises.
const statAsync = promisify(stat);
const readFileAsync = promisify(readFile);

async function sizeOf(path: string): Promise<number | null> {
  const found = await statAsync(path).catch(() => null);
  return found?.isFile() ? found.size : null;
}

/** Reads the image files of a folder, or of the first of several that has a file. */
export class ImageFiles {
  readonly #where: string;
  readonly #folders: readonly string[];
  #checked: Promise<unknown> | null = null;

  /** @param where the name of the caller in errors */
  constructor(where: string, folders: string | readonly string[]) {
    this.#where = where;
    this.#folders = typeof folders === 'string' ? [folders] : folders;
  }

  /**
   * Reads the file of an image.
   * @throws RecordError `image-missing`, `unsafe-path`, `image-outside-folder` or `image-too-large`; InputError if a folder does not exist
   */
  async read({ id, file }: Image): Promise<ImageFile> {
    this.#checked ??= Promise.all(this.#folders.map(checkImageFolder));
    await this.#checked;
    const reject = (reason: string, problem: string): never => {
      throw new RecordError(reason, `${this.#where}: image ${id}: ${problem}`, { image: id });
    };
    const rejecting = (error: unknown): never => {
      throw error instanceof RecordError ? reject(error.reason, error.message) : error;
    };
    const source = await findImageFile(this.#folders, file).catch(rejecting);
    const size = typeof source === 'string' ? await sizeOf(source) : source.bytes;
    if (size === null) return reject('image-missing', `no file ${file} in the image folder`);
    if (size > MAX_BYTES) return reject('image-too-large', `${file} has ${size} bytes, expected at most ${MAX_BYTES}`);
    const content = await imageContent(source).catch(rejecting);
    const bytes = typeof content === 'string' ? await readFileAsync(content) : content;
    return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  }
}
