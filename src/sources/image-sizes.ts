import type { Id } from '../records/image.js';
import type { SourceContext } from '../records/ports.js';
import { GrowingArray } from './growing-array.js';
import { IdIndex } from './id-index.js';
import { streamJson } from './json-stream.js';
import { fieldsOf, isId } from './json-value.js';

/** Widths and heights of images by id, some 30 bytes each. */
export class ImageSizes {
  readonly #ids = new IdIndex();
  readonly #sides = new GrowingArray((length) => new Int32Array(length));

  private constructor() {}

  /**
   * Reads a list of `{image_id, width, height}`, such as Visual Genome's `image_data.json`. Entries without these are
   * passed over: their images will be found to have no size.
   * @throws InputError where it can't be read
   */
  static async read(file: string, context: SourceContext): Promise<ImageSizes> {
    const sizes = new ImageSizes();
    const onRead = (done: number, total: number) => context.progress({ phase: 'reading', done, total });
    for await (const { values } of streamJson(file, { layout: 'list', signal: context.signal, onRead })) {
      for (const value of values) {
        const { id: other, image_id: id = other, width, height } = fieldsOf(value);
        if (isId(id) && isSide(width) && isSide(height) && sizes.#ids.add(id) !== undefined) {
          sizes.#sides.push(width);
          sizes.#sides.push(height);
        }
      }
    }
    return sizes;
  }

  /** How many images there are. */
  get count(): number {
    return this.#ids.size;
  }

  /** In pixels. */
  get(id: Id): { readonly width: number; readonly height: number } | undefined {
    const at = this.#ids.get(id);
    return at === undefined ? undefined : { width: this.#sides.at(at * 2), height: this.#sides.at(at * 2 + 1) };
  }
}

/** More pixels than any camera has on a side; above it, a number is not a size. */
const maxSide = 1_000_000;

/** Whether a value can be an image's width or height: a whole number from 1 to a million. */
export function isSide(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= maxSide;
}
