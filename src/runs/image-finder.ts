import { comparePaths, type ImagePath, numberOfName, readImagePath } from '../files/image-keys.js';
import { readId } from '../files/json/json-value.js';
import type { Id, Image } from '../records/image.js';

/** Number of images that messages name. */
const EXAMPLES = 5;

/** What a finder remembers of an image. */
type Named = Pick<Image, 'id' | 'file' | 'dataset' | 'split'>;

/**
 * Finds the image that a person names, as captions name theirs: by its id in any form (7, 7.0, 0007), as `dataset/id`, or by its
 * file with or without folders and extension. An id is preferred to a file, and the whole path of a file to its end.
 */
export class ImageFinder {
  readonly #name: string;
  readonly #id: Id | undefined;
  readonly #path: ImagePath;
  #best = Number.POSITIVE_INFINITY;
  #matches = new Map<string, Named>();
  #rejected = false;
  #images = 0;
  readonly #examples: Named[] = [];

  /** @param name the image's id or file as a person writes it */
  constructor(name: string) {
    this.#name = name.trim();
    this.#id = readId(name);
    this.#path = readImagePath(name);
  }

  /** Considers an image of the sources. */
  add(image: Named): void {
    this.#images++;
    if (this.#examples.length < 2) this.#examples.push(image);
    const rank = this.#rankOf(image);
    if (rank === null || rank > this.#best) return;
    if (rank < this.#best) this.#matches.clear();
    this.#best = rank;
    this.#matches.set(keyOf(image), image);
  }

  /** Considers an image that a source has rejected. */
  addReject(image: Id | undefined): void {
    if (this.isRejected(image)) this.#rejected = true;
  }

  /** Returns whether the name is the id of an image that a source has rejected. */
  isRejected(image: Id | undefined): boolean {
    return image !== undefined && this.#isId(image);
  }

  /**
   * Returns the image that fits best, null if only the id of a rejected one fits, or a message for people if no image or more
   * than one fits.
   */
  found(): Named | string | null {
    // The id of a rejected image says more than the file name of another one.
    if (this.#rejected && this.#best > 0) return null;
    const [first, ...others] = this.#matches.values();
    if (first && others.length === 0) return first;
    if (!first) return this.#notFound();
    const matches = [first, ...others];
    const names = listOf(matches.map((image) => this.#describe(image, matches)));
    return `${matches.length} images fit '${this.#name}': ${names}; name one of them`;
  }

  /** Returns whether an image is this one. */
  static isSame(image: Named, other: Named): boolean {
    return keyOf(image) === keyOf(other);
  }

  #rankOf({ id, file, dataset }: Named): number | null {
    if (this.#isId(id) || this.#name === `${dataset}/${id}`) return 0;
    const path = readImagePath(file);
    const found = comparePaths(this.#path, path);
    if (found) {
      const isWhole = this.#path.segments.length === path.segments.length;
      return 1 + 2 * found.rank + (isWhole ? 0 : 1);
    }
    const number = numberOfName(this.#path.stem);
    if (number === undefined) return null;
    if (number === id) return 10;
    return number === numberOfName(path.stem) ? 11 : null;
  }

  #isId(id: Id): boolean {
    return String(id) === this.#name || id === this.#id;
  }

  #notFound(): string {
    const [first, second] = this.#examples.map(({ id, file }) => `${id} (${file})`);
    const start = `no image '${this.#name}' in its sources`;
    if (!first) return `${start}, which have no images`;
    const count = this.#images === 1 ? 'one image' : `${this.#images.toLocaleString('en-US')} images`;
    return `${start}, which have ${count}, such as ${[first, second].filter(Boolean).join(' and ')}; give an id or a file name`;
  }

  /** Describes one of several images by a name that no other one has. */
  #describe({ id, file, dataset }: Named, all: readonly Named[]): string {
    const isUnique = all.filter((other) => other.id === id).length === 1;
    return `${isUnique ? id : `${dataset}/${id}`} (${file})`;
  }
}

const keyOf = ({ id, dataset, file }: Named) => JSON.stringify([dataset, id, file]);

function listOf(names: readonly string[]): string {
  if (names.length > EXAMPLES) return [...names.slice(0, EXAMPLES), '…'].join(', ');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
