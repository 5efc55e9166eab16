import PQueue from 'p-queue';
import { RecordError } from '../../errors.js';
import { findImageFile } from '../../files/image-stores/find-image-file.js';
import { scaledJpeg } from '../../files/scaled-jpeg.js';
import type { Image } from '../../records/image.js';
import type { PictureWidth } from '../view-api.js';

/** Memory for pictures that were made, in bytes. */
const CACHE_BYTES = 64 << 20;
/** Pictures that are decoded at a time. */
const AT_ONCE = 4;
/** The longest side of a picture without a width, in pixels. */
const LONGEST_SIDE = 4096;

/** The widths that are made. */
export const PICTURE_WIDTHS = [160, 320, 640, 1280] as const satisfies readonly PictureWidth[];

/**
 * Makes pictures of the images of a set. Each is decoded and encoded anew, upright or as stored as its boxes are, so that no byte
 * of a file reaches the browser; files are only read within the image folders.
 */
export class Pictures {
  readonly #folders: readonly string[];
  readonly #cache = new Map<string, Promise<Buffer>>();
  readonly #queue = new PQueue({ concurrency: AT_ONCE });
  #bytes = 0;

  /** @param folders image folders, in the order in which files are looked for; without any there are no pictures */
  constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  get hasFolders(): boolean {
    return this.#folders.length > 0;
  }

  /**
   * Returns a picture as a JPEG.
   * @throws RecordError when the file is missing, not in the folders, or cannot be decoded
   */
  picture(image: Image, width: PictureWidth | null): Promise<Buffer> {
    const key = `${width} ${image.width} ${image.height} ${image.file}`;
    const found = this.#cache.get(key);
    if (found) {
      // The last one in the order of the map was used last.
      this.#cache.delete(key);
      this.#cache.set(key, found);
      return found;
    }
    const made = this.#queue.add(() => this.#make(image, width));
    this.#cache.set(key, made);
    made.then(
      ({ length }) => this.#keep(length),
      () => this.#cache.delete(key),
    );
    return made;
  }

  /** Returns why an image has no picture; undefined if nothing speaks against it so far. */
  async problem({ file }: Image): Promise<string | undefined> {
    if (!this.hasFolders) return 'the image folder is not known: give it with --images';
    try {
      await findImageFile(this.#folders, file);
      return undefined;
    } catch (error) {
      if (error instanceof RecordError) return error.message;
      throw error;
    }
  }

  async #make(image: Image, wanted: PictureWidth | null): Promise<Buffer> {
    const source = await findImageFile(this.#folders, image.file);
    const { width, height } = image;
    return scaledJpeg(source, image, wanted === null ? LONGEST_SIDE / Math.max(width, height) : wanted / width);
  }

  async #keep(length: number): Promise<void> {
    this.#bytes += length;
    for (const [key, made] of this.#cache) {
      if (this.#bytes <= CACHE_BYTES) return;
      this.#cache.delete(key);
      this.#bytes -= (await made).length;
    }
  }
}
