import { basename } from 'node:path';
import { InputError } from '../../errors.js';
import { parseNestedJson } from '../../files/json/parse-json.js';
import { readSmallFile } from '../../files/read-small-file.js';
import { increment } from '../../records/increment.js';
import type { ChosenImages } from './few-shot.js';
import type { TrainingSample } from './training-sample.js';

/**
 * A given list of the images to train on, such as the files of the official few-shot subsets. An image is listed by its id, its
 * file or the name of its file; one that is listed several times is trained on several times.
 */
export class ImageList {
  readonly #file: string;
  /** How often each name is listed. */
  readonly #counts: ReadonlyMap<string, number>;
  readonly #missing: Set<string>;
  readonly #chosen: { readonly set: number; readonly position: number; readonly count: number }[] = [];

  private constructor(file: string, counts: ReadonlyMap<string, number>) {
    this.#file = file;
    this.#counts = counts;
    this.#missing = new Set(counts.keys());
  }

  /**
   * Reads a list: one image a line, or a JSON array of texts or numbers.
   * @throws InputError if the file is missing or not such a list
   */
  static async read(file: string): Promise<ImageList> {
    const text = await readSmallFile(file).catch((cause) => {
      if (cause instanceof InputError) throw cause;
      throw new InputError(file, 'cannot be read, expected a list of images', undefined, { cause });
    });
    const counts = new Map<string, number>();
    for (const name of namesOf(file, text)) increment(counts, name);
    if (counts.size === 0) throw new InputError(file, 'is empty, expected a list of images, one a line');
    return new ImageList(file, counts);
  }

  /** @param position of the sample among the usable samples of its set */
  add(set: number, position: number, { image }: TrainingSample): void {
    const names = new Set([String(image.id), image.file, basename(image.file)]);
    let count = 0;
    for (const name of names) {
      count += this.#counts.get(name) ?? 0;
      this.#missing.delete(name);
    }
    if (count > 0) this.#chosen.push({ set, position, count });
  }

  /**
   * Returns the listed images, by set.
   * @throws InputError that names a listed image that no set has
   */
  choose(sets: number): ChosenImages[] {
    const [missing] = this.#missing;
    if (missing !== undefined)
      throw new InputError(
        this.#file,
        `lists '${missing}'${this.#missing.size > 1 ? ` and ${this.#missing.size - 1} others` : ''}, expected usable images of the data`,
      );
    const positions = Array.from({ length: sets }, () => new Map<number, number>());
    for (const { set, position, count } of this.#chosen) positions[set]!.set(position, count);
    return positions;
  }
}

function namesOf(file: string, text: string): string[] {
  if (!text.trimStart().startsWith('['))
    return text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  let value: unknown;
  try {
    value = parseNestedJson(text);
  } catch (cause) {
    throw new InputError(file, 'is not a JSON array of images', undefined, { cause });
  }
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string' || typeof name === 'number'))
    throw new InputError(file, 'has other values than texts and numbers, expected a list of images');
  return value.map(String);
}
