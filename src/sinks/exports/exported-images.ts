import { copyFile, readFile } from 'node:fs/promises';
import { RecordError } from '../../errors.js';
import { findImageFile, type ImageSource, imageBytes } from '../../files/image-stores/find-image-file.js';
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
    const mode = imageFiles ?? (images === undefined ? 'none' : preferred);
    // A store has no links.
    this.mode = mode === 'link' && output.isInStore ? 'copy' : mode;
    this.#folder = images ?? '';
    this.#output = output;
    this.#note = note;
  }

  /** Resolves to the content of an image file; null if it is not embedded, or counted because it cannot be. */
  async content(image: Image): Promise<Buffer | null> {
    if (this.mode !== 'embed') return null;
    const source = await this.#find(image);
    const bytes = source === null ? null : await this.#read(source, image);
    if (bytes === null || imageFormat(bytes) !== null) return bytes;
    this.#note('image-not-readable', image.file);
    return null;
  }

  /**
   * Copies or links an image file below a folder of the export, once.
   * @returns the path in the export; null if there is none, or it is counted because it cannot be read
   */
  async place(image: Image, folder: string): Promise<string | null> {
    if (this.mode !== 'copy' && this.mode !== 'link') return null;
    const source = await this.#find(image);
    if (source === null) return null;
    const name = `${folder}/${image.file}`;
    const id = JSON.stringify([image.dataset, image.id]);
    const placed = this.#placed.get(name);
    if (placed !== undefined) {
      if (placed !== id) this.#note('image-name-repeated', image.file);
      return name;
    }
    if (typeof source !== 'string') {
      const bytes = await this.#read(source, image);
      if (bytes === null) return null;
      // There is no file that a link could lead to.
      if (this.mode === 'link') this.#note('image-copied', image.file);
      const file = await this.#output.create(name);
      await file.writeBytes(bytes);
      await file.close();
    } else if (this.mode === 'link') await this.#output.link(name, source);
    else {
      await copyFile(source, await this.#output.reserve(name));
      await this.#output.add(name);
    }
    this.#placed.set(name, id);
    return name;
  }

  /** Finds the file of an image; null if it is counted because it is missing, too large, or not in the folder. */
  async #find(image: Image): Promise<ImageSource | null> {
    const source = await findImageFile(this.#folder, image.file).catch((error) => this.#refuse(error, image));
    if (source === null) return null;
    const bytes = await imageBytes(source);
    if (bytes !== null && bytes <= MAX_BYTES) return source;
    this.#note(bytes === null ? 'image-missing' : 'image-too-large', image.file);
    return null;
  }

  async #read(source: ImageSource, image: Image): Promise<Buffer | null> {
    if (typeof source === 'string') return readFile(source);
    return source.read().catch((error) => this.#refuse(error, image));
  }

  #refuse(error: unknown, image: Image): null {
    if (!(error instanceof RecordError)) throw error;
    this.#note(error.reason, image.file);
    return null;
  }
}
