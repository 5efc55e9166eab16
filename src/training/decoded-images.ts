import { readImage } from '../model/image/read-image.js';
import { type RgbImage, resize, targetSize } from '../model/image/resize.js';
import type { Views } from './augment.js';

/**
 * Images of a data set, decoded and brought to the size that views are made of. As many as `bytes` allow are kept, those
 * that came first: an epoch reads each image once, so that to let an older one go for a newer would be to keep none.
 */
export class DecodedImages {
  readonly #views: Pick<Views, 'decoded' | 'longest'>;
  readonly #kept = new Map<string, RgbImage>();
  #room: number;

  /** @param bytes of pixels that are kept at most; 0 to decode anew each time */
  constructor(views: Pick<Views, 'decoded' | 'longest'>, bytes: number) {
    this.#views = views;
    this.#room = bytes;
  }

  /** @throws RecordError (`image-missing`, `image-unreadable`) */
  async read(path: string): Promise<RgbImage> {
    const known = this.#kept.get(path);
    if (known) return known;
    const { decoded, longest } = this.#views;
    const image = await readImage(path);
    const made = decoded === undefined ? image : resize(image, targetSize(image, decoded, longest));
    if (made.data.length <= this.#room) {
      this.#room -= made.data.length;
      this.#kept.set(path, made);
    }
    return made;
  }
}
