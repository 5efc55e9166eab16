import { copyFile, readFile, stat } from 'node:fs/promises';
import { RecordError } from '../../errors.js';
import { imageInside } from '../../files/image-inside.js';
import { imageFormat } from '../../files/open-image.js';
import type { Image } from '../../records/image.js';
import type { ExportInput } from './export-format.js';
import type { ImageFiles } from './export-options.js';
import type { ExportOutput } from './export-output.js';

/** A maximum for the size of an image file that is embedded or copied, in bytes. */
const MAX_BYTES = 64 << 20;

/** Gives the images of an export: embedded, copied, linked, or not at all. */
export class ExportedImages {
  readonly mode: ImageFiles;
  readonly #folder: string;
  readonly #output: ExportOutput;
  readonly #note: ExportInput['note'];
  /** The images that are placed, by their paths in the export. */
  readonly #placed = new Map<string, string>();

  /** @param preferred what to do with the images if only their folder is given */
  constructor({ options: { images, imageFiles }, note }: ExportInput, output: ExportOutput, preferred: ImageFiles) {
    this.mode = imageFiles ?? (images === undefined ? 'none' : preferred);
    this.#folder = images ?? '';
    this.#output = output;
    this.#note = note;
  }

  /** Resolves to the content of an image file; null if it is not embedded, or counted because it cannot be. */
  async content(image: Image): Promise<Buffer | null> {
    if (this.mode !== 'embed') return null;
    const path = await this.#find(image);
    if (path === null) return null;
    const bytes = await readFile(path);
    if (imageFormat(bytes) !== null) return bytes;
    this.#note('image-not-readable', image.file);
    return null;
  }

  /**
   * Copies or links an image file below a folder of the export, once.
   * @returns the path in the export; null if there is none, or it is counted because it cannot be read
   */
  async place(image: Image, folder: string): Promise<string | null> {
    if (this.mode !== 'copy' && this.mode !== 'link') return null;
    const path = await this.#find(image);
    if (path === null) return null;
    const name = `${folder}/${image.file}`;
    const id = JSON.stringify([image.dataset, image.id]);
    const placed = this.#placed.get(name);
    if (placed !== undefined) {
      if (placed !== id) this.#note('image-name-repeated', image.file);
      return name;
    }
    this.#placed.set(name, id);
    if (this.mode === 'link') await this.#output.link(name, path);
    else {
      await copyFile(path, await this.#output.reserve(name));
      await this.#output.add(name);
    }
    return name;
  }

  async #find(image: Image): Promise<string | null> {
    const path = await imageInside(this.#folder, image.file).catch((error: unknown) => {
      if (!(error instanceof RecordError)) throw error;
      this.#note(error.reason, image.file);
      return null;
    });
    if (path === null) return null;
    const found = await stat(path).catch(() => null);
    if (found?.isFile() && found.size <= MAX_BYTES) return path;
    this.#note(found?.isFile() ? 'image-too-large' : 'image-missing', image.file);
    return null;
  }
}
