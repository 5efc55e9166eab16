import { copyFile } from 'node:fs/promises';
import { RecordError } from '../../errors.js';
import { findImageFile, type ImageSource, imageBytes, imageState } from '../../files/image-stores/find-image-file.js';
import { imageFileFormat, imageFormat } from '../../files/open-image.js';
import type { Image } from '../../records/image.js';
import type { ExportInput } from './export-format.js';
import type { ImageFiles } from './export-options.js';
import type { ExportOutput } from './export-output.js';

/** A maximum for the size of an image file that is embedded or copied, in bytes. */
const MAX_BYTES = 64 << 20;

/** An image that is to be embedded. */
export interface EmbeddedImage {
  /** Differs when the content differs. */
  readonly tag: string;
  /** Resolves to the content, or to the reason why it cannot be used. */
  readonly read: () => Promise<Buffer | string>;
}

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

  /** Finds an image to embed; null if it is not embedded, or counted because it cannot be. */
  async embedded(image: Image): Promise<EmbeddedImage | null> {
    if (this.mode !== 'embed') return null;
    const source = await this.#find(image);
    if (source === null) return null;
    return {
      tag: source.tag,
      read: async () => {
        const bytes = await imageBytes(source.source).catch((error: unknown) => {
          if (error instanceof RecordError) return error.reason;
          throw error;
        });
        return typeof bytes === 'string' || imageFormat(bytes) !== null ? bytes : 'image-not-readable';
      },
    };
  }

  /**
   * Copies or links an image file below a folder of the export, once.
   * @returns the path in the export; null if there is none, or it is counted because it cannot be read
   */
  async place(image: Image, folder: string): Promise<string | null> {
    if (this.mode !== 'copy' && this.mode !== 'link') return null;
    const found = await this.#find(image);
    if (found === null) return null;
    const { source } = found;
    const name = `${folder}/${image.file}`;
    const id = JSON.stringify([image.dataset, image.id]);
    const placed = this.#placed.get(name);
    if (placed !== undefined) {
      if (placed !== id) this.#note('image-name-repeated', image.file);
      return name;
    }
    if (typeof source !== 'string') {
      const bytes = await imageBytes(source).catch((error) => this.#refuse(error, image));
      if (bytes === null) return null;
      if (imageFormat(bytes) === null) return this.#notReadable(image);
      // There is no file that a link could lead to.
      if (this.mode === 'link') this.#note('image-copied', image.file);
      const file = await this.#output.create(name);
      await file.writeBytes(bytes);
      await file.close();
    } else if ((await imageFileFormat(source)) === null) return this.#notReadable(image);
    else if (this.mode === 'link') await this.#output.link(name, source);
    else {
      await copyFile(source, await this.#output.reserve(name));
      await this.#output.add(name);
    }
    this.#placed.set(name, id);
    return name;
  }

  /** Finds the file of an image; null if it is counted because it is missing, too large, or not in the folder. */
  async #find(image: Image): Promise<{ readonly source: ImageSource; readonly tag: string } | null> {
    const source = await findImageFile(this.#folder, image.file).catch((error) => this.#refuse(error, image));
    if (source === null) return null;
    const state = await imageState(source);
    if (state !== null && state.bytes <= MAX_BYTES) return { source, tag: `${state.bytes} ${state.tag}` };
    this.#note(state === null ? 'image-missing' : 'image-too-large', image.file);
    return null;
  }

  #notReadable(image: Image): null {
    this.#note('image-not-readable', image.file);
    return null;
  }

  #refuse(error: unknown, image: Image): null {
    if (!(error instanceof RecordError)) throw error;
    this.#note(error.reason, image.file);
    return null;
  }
}
