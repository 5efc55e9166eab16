import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RecordError } from '../errors.js';
import { checkImageFolder, safeRelativePath } from '../files/image-folder.js';
import type { Image } from '../records/image.js';

/** An image as it lies on the disk. */
export interface ImageFile {
  readonly bytes: Buffer;
  /** In hexadecimal. */
  readonly sha256: string;
}

const MAX_BYTES = 64 * 2 ** 20;

// A third of what node:fs/promises takes for a small file.
const statAsync = promisify(stat);
const readFileAsync = promisify(readFile);

/** Reads images below a folder. */
export class ImageFiles {
  readonly #where: string;
  readonly #folder: string;
  #checked: Promise<void> | null = null;

  constructor(where: string, folder: string) {
    this.#where = where;
    this.#folder = folder;
  }

  /**
   * The file of an image.
   * @throws RecordError `image-missing`, `unsafe-path` or `image-too-large`; InputError where the folder is not there
   */
  async read({ id, file }: Image): Promise<ImageFile> {
    this.#checked ??= checkImageFolder(this.#folder);
    await this.#checked;
    const below = safeRelativePath(file);
    const reject = (reason: string, problem: string): never => {
      throw new RecordError(reason, `${this.#where}: image ${id}: ${problem}`, { image: id });
    };
    if (below === null) return reject('unsafe-path', `'${file}' is no path below a folder`);
    const path = join(this.#folder, below);
    const found = await statAsync(path).catch(() => null);
    if (!found?.isFile()) return reject('image-missing', `no file ${below} in the image folder`);
    if (found.size > MAX_BYTES)
      return reject('image-too-large', `${below} has ${found.size} bytes, expected at most ${MAX_BYTES}`);
    const bytes = await readFileAsync(path);
    return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  }
}
