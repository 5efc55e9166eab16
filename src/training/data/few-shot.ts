import { OptionError } from '../../errors.js';
import type { Random } from '../../records/random.js';
import { drawWithoutReplacement, randomInteger } from './random-stream.js';
import type { TrainingSample } from './training-sample.js';

/** So often a share of the images is drawn until every object's name is in it. */
const TRIES = 1000;

/**
 * Picks a small share of a data set's images in which every name comes: one random image for each predicate, the rest
 * at random, drawn anew until no object's name is missing. Memory grows with the number of relations.
 *
 * Source: RLIPv2, convert_annotations/convert_hico_annotations.py: 1 % and 10 % of HICO-DET.
 */
export class FewShot {
  readonly #images: { readonly set: number; readonly place: number; readonly objects: readonly number[] }[] = [];
  /** Images of each predicate. */
  readonly #byPredicate = new Map<string, number[]>();
  readonly #objects = new Map<string, number>();

  /** @param place of the sample among the set's usable ones */
  add(set: number, place: number, { categories, pairs }: TrainingSample): void {
    const image = this.#images.length;
    const objects = [...new Set(categories)].map((name) => {
      if (!this.#objects.has(name)) this.#objects.set(name, this.#objects.size);
      return this.#objects.get(name)!;
    });
    this.#images.push({ set, place, objects });
    for (const predicate of new Set(pairs.flatMap(({ predicates }) => predicates))) {
      const images = this.#byPredicate.get(predicate);
      if (images) images.push(image);
      else this.#byPredicate.set(predicate, [image]);
    }
  }

  /**
   * @param share in (0, 1]
   * @returns places by set
   * @throws OptionError where the share is too small for every name to come
   */
  choose(random: Random, share: number, sets: number): ReadonlySet<number>[] {
    const count = Math.round(share * this.#images.length);
    const all = this.#images.map((_, image) => image);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const chosen = new Set(
        [...this.#byPredicate.values()].map((images) => images[randomInteger(random, images.length)]!),
      );
      if (chosen.size > count) continue;
      const rest = all.filter((image) => !chosen.has(image));
      for (const image of drawWithoutReplacement(random, rest, count - chosen.size)) chosen.add(image);
      const named = new Set([...chosen].flatMap((image) => this.#images[image]!.objects));
      if (named.size < this.#objects.size) continue;
      const places = Array.from({ length: sets }, () => new Set<number>());
      for (const image of chosen) places[this.#images[image]!.set]!.add(this.#images[image]!.place);
      return places;
    }
    throw new OptionError(
      'training',
      `/fewShot ${share}: ${count} of ${this.#images.length} images, too few for all ${this.#byPredicate.size} predicates and ${this.#objects.size} object names to come`,
    );
  }
}
