import { OptionError } from '../../errors.js';
import type { Random } from '../../records/random.js';
import { drawWithoutReplacement } from './draw-without-replacement.js';
import { randomInteger } from './random-stream.js';
import type { TrainingSample } from './training-sample.js';

const MAX_ATTEMPTS = 1000;

/**
 * Chooses a small part of a data set's images in which every name occurs: one random image for each predicate and
 * further random images, drawn again until no category is missing. Memory grows with the number of relations.
 *
 * Source: RLIPv2, convert_annotations/convert_hico_annotations.py: 1 % and 10 % of HICO-DET.
 */
export class FewShot {
  readonly #images: { readonly set: number; readonly position: number; readonly categories: readonly number[] }[] = [];
  readonly #imagesByPredicate = new Map<string, number[]>();
  /** Numbers of the categories. */
  readonly #categories = new Map<string, number>();

  /** @param position of the sample among the usable samples of its set */
  add(set: number, position: number, { categories, pairs }: TrainingSample): void {
    const image = this.#images.length;
    const numbers = [...new Set(categories)].map((name) => {
      if (!this.#categories.has(name)) this.#categories.set(name, this.#categories.size);
      return this.#categories.get(name)!;
    });
    this.#images.push({ set, position, categories: numbers });
    for (const predicate of new Set(pairs.flatMap(({ predicates }) => predicates))) {
      const images = this.#imagesByPredicate.get(predicate);
      if (images) images.push(image);
      else this.#imagesByPredicate.set(predicate, [image]);
    }
  }

  /**
   * @param share of the images, in (0, 1]
   * @param sets number of sets
   * @returns the positions of the chosen images, by set
   * @throws OptionError when the share is too small for every name to occur
   */
  choose(random: Random, share: number, sets: number): ReadonlySet<number>[] {
    const count = Math.round(share * this.#images.length);
    const all = this.#images.map((_, image) => image);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const chosen = new Set(
        [...this.#imagesByPredicate.values()].map((images) => images[randomInteger(random, images.length)]!),
      );
      if (chosen.size > count) continue;
      const rest = all.filter((image) => !chosen.has(image));
      for (const image of drawWithoutReplacement(random, rest, count - chosen.size)) chosen.add(image);
      const present = new Set([...chosen].flatMap((image) => this.#images[image]!.categories));
      if (present.size < this.#categories.size) continue;
      const positions = Array.from({ length: sets }, () => new Set<number>());
      for (const image of chosen) positions[this.#images[image]!.set]!.add(this.#images[image]!.position);
      return positions;
    }
    throw new OptionError(
      'training',
      `/fewShot ${share}: ${count} of ${this.#images.length} images are too few for all ${this.#imagesByPredicate.size} predicates and ${this.#categories.size} categories to occur; choose a larger share`,
    );
  }
}
