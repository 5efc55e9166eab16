import { RecordError } from '../errors.js';
import { type ImageHeader, type PixelSize, pixelOrder, readImageHeader } from '../files/image-header.js';
import { findImageFile } from '../files/image-stores/find-image-file.js';
import { fieldsOf, readId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { GrowingArray } from '../files/spools/growing-array.js';
import { IdIndex } from '../files/spools/id-index.js';
import type { Id } from '../records/image.js';
import type { SourceContext } from '../records/ports.js';

/** Holds the widths and heights of images by id, in about 30 bytes per image. */
export class ImageSizes {
  readonly #ids = new IdIndex();
  readonly #sides = new GrowingArray((length) => new Int32Array(length));
  readonly #counts: Record<string, number> = {};

  private constructor() {}

  /**
   * Reads a list of `{image_id, width, height}`, such as Visual Genome's `image_data.json`. An entry without valid
   * fields is counted as `malformed-size`, a second entry of an image as `duplicate-size`; 7 and '7' are the same
   * image.
   * @throws InputError if the file cannot be read
   */
  static async read(file: string, context: SourceContext): Promise<ImageSizes> {
    const sizes = new ImageSizes();
    const onRead = (done: number, total: number) => context.progress({ phase: 'reading', done, total });
    for await (const { values } of streamJson(file, { layout: 'list', signal: context.signal, onRead })) {
      for (const value of values) {
        const { id: other, image_id: written = other, width, height } = fieldsOf(value);
        const id = readId(written);
        if (id === undefined || !isSide(width) || !isSide(height)) sizes.#count('malformed-size');
        else if (sizes.#ids.add(id) === undefined) sizes.#count('duplicate-size');
        else {
          sizes.#sides.push(width);
          sizes.#sides.push(height);
        }
      }
    }
    return sizes;
  }

  /** The number of images. */
  get count(): number {
    return this.#ids.size;
  }

  /** The number of unusable entries, by name. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  /** Returns the size of an image in pixels, given the id from `readId`, or undefined if it is unknown. */
  get(id: Id): PixelSize | undefined {
    const at = this.#ids.get(id);
    return at === undefined ? undefined : { width: this.#sides.at(at * 2), height: this.#sides.at(at * 2 + 1) };
  }

  #count(name: string): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
  }
}

/** The maximum width and height of an image in pixels; no camera exceeds it, so a larger number is an error. */
export const maxSide = 1_000_000;

/** Returns whether a value is a valid width or height of an image: a whole number from 1 to `maxSide`. */
export function isSide(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= maxSide;
}

/** The reason for which an image is rejected, and what to say about it. */
export interface ImageProblem {
  readonly reason: string;
  readonly problem: string;
}

/**
 * Returns the size of an image: as annotated, or that of its file (`size-from-image`) if the annotations have none; null
 * if the file is then unreadable, and the problem if a link leads out of the folder to it, or a shard or store refuses it. It
 * counts a file whose size differs (`image-size-differs`), a damaged file and one that is not an image (`image-not-readable`), and a
 * file that has the annotated size only before the rotation that its EXIF orientation asks for (`annotated-before-rotation`).
 * @param compat ignores the EXIF orientation and compares no sizes, as the official loader does
 */
export async function checkedSize(
  folder: string,
  file: string,
  annotated: PixelSize | null,
  compat: boolean,
  counts: Record<string, number>,
): Promise<PixelSize | ImageProblem | null> {
  if (annotated !== null && compat) return annotated;
  let header: ImageHeader | null;
  try {
    header = await readImageHeader(await findImageFile(folder, file));
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    // The stages that read its pixels reject the image.
    if (annotated !== null && error.reason === 'image-outside-folder') return annotated;
    return { reason: error.reason, problem: error.message };
  }
  if (annotated === null) {
    if (header) counts['size-from-image'] = 1;
    return header && (compat ? header.stored : header.upright);
  }
  // The stages that read its pixels reject an unreadable file.
  if (!header) counts['image-not-readable'] = 1;
  const order = header ? pixelOrder(annotated, header) : 'upright';
  if (order === null) counts['image-size-differs'] = 1;
  if (order === 'stored') counts['annotated-before-rotation'] = 1;
  return annotated;
}
