import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OptionError, RecordError } from '../errors.js';
import { checkImageFolder, safeRelativePath } from '../files/image-folder.js';
import type { Image } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';

/** How an image is made smaller before it is sent. */
export interface ShrinkOptions {
  /** Longest side, in pixels; a larger image is scaled down to it. Default 512. */
  readonly side?: number;
  /** Quality of the JPEG that is sent, from 1 to 100. Default 85. */
  readonly quality?: number;
}

/** An image as it lies on the disk. */
export interface ImageFile {
  readonly bytes: Buffer;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** An image as it is sent. */
export interface SentImage {
  readonly bytes: Buffer;
  readonly mime: 'image/jpeg' | 'image/png';
}

const MAX_BYTES = 64 * 2 ** 20;
/** Above this an image is decoded only to find out that it is a bomb. */
const MAX_PIXELS = 200e6;

/** @throws OptionError where an option is out of range */
export function shrinkOf(where: string, { side = 512, quality = 85 }: ShrinkOptions): Required<ShrinkOptions> {
  checkPositiveInteger(where, 'side', side);
  checkPositiveInteger(where, 'quality', quality);
  if (quality > 100) throw new OptionError(where, `quality ${quality}, expected a whole number from 1 to 100`);
  return { side, quality };
}

// A third of what node:fs/promises takes for a small file.
const statOf = promisify(stat);
const contentOf = promisify(readFile);

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
    const refuse = (reason: string, problem: string): never => {
      throw new RecordError(reason, `${this.#where}: image ${id}: ${problem}`, { image: id });
    };
    if (below === null) return refuse('unsafe-path', `'${file}' is no path below a folder`);
    const path = join(this.#folder, below);
    const found = await statOf(path).catch(() => null);
    if (!found?.isFile()) return refuse('image-missing', `no file ${below} in the image folder`);
    if (found.size > MAX_BYTES)
      return refuse('image-too-large', `${below} has ${found.size} bytes, expected at most ${MAX_BYTES}`);
    const bytes = await contentOf(path);
    return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  }
}

let library: Promise<typeof import('sharp')> | undefined;

/**
 * The image as it is sent: the right way up, without its metadata, and no larger than `side`. A JPEG or PNG that is small
 * enough and upright goes as it is.
 * @throws RecordError `malformed-image-file` where it can't be decoded
 */
export async function shrink(
  where: string,
  { bytes }: ImageFile,
  image: Image,
  options: Required<ShrinkOptions>,
): Promise<SentImage> {
  const { side, quality } = options;
  library ??= import('sharp');
  const { default: sharp } = await library;
  try {
    const source = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error' });
    const { format, width, height, orientation = 1 } = await source.metadata();
    if ((format === 'jpeg' || format === 'png') && orientation === 1 && Math.max(width, height) <= side) {
      return { bytes, mime: `image/${format}` };
    }
    const smaller = source
      .autoOrient()
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .jpeg({ quality });
    return { bytes: await smaller.toBuffer(), mime: 'image/jpeg' };
  } catch (error) {
    throw new RecordError(
      'malformed-image-file',
      `${where}: image ${image.id}: ${image.file} can't be decoded: ${(error as Error).message}`,
      { image: image.id },
    );
  }
}
