import { OptionError } from '../../errors.js';
import { addToList } from '../../records/add-to-list.js';
import { increment } from '../../records/increment.js';
import type { Random } from '../../records/random.js';
import { randomInteger } from './random-stream.js';
import type { TrainingSample } from './training-sample.js';

/** Official subsets of 1 % are drawn for minutes until every category occurs. */
const MAX_ATTEMPTS = 100_000;

/** The images that are trained on: how often each usable sample of a set is, by its position. */
export type ChosenImages = ReadonlyMap<number, number>;

/**
 * Draws a small part of a data set's images in which every name occurs: for each predicate the image of one random relation,
 * so that an image with several such relations is more likely, and is chosen several times if it is drawn for several predicates;
 * then further random images, which are drawn again until no category is missing. The total is the share, rounded down. Memory
 * grows with the number of relations.
 *
 * Source: RLIPv2, convert_annotations/convert_hico_annotations.py: 1 % and 10 % of HICO-DET.
 */
export class FewShot {
  readonly #images: { readonly set: number; readonly position: number; readonly categories: readonly number[] }[] = [];
  /** The image of each relation, by predicate. */
  readonly #relations = new Map<string, number[]>();
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
    for (const { predicates } of pairs)
      for (const predicate of predicates) {
        addToList(this.#relations, predicate, image);
      }
  }

  /**
   * @param share of the images, in (0, 1]
   * @param sets number of sets
   * @returns the chosen images, by set
   * @throws OptionError when the share is too small for every name to occur
   */
  choose(random: Random, share: number, sets: number): ChosenImages[] {
    // Rounded down, but for the noise of a product such as 0.29 · 100.
    const count = Math.floor(share * this.#images.length + 1e-9);
    const ofPredicates = [...this.#relations.values()].map((images) => images[randomInteger(random, images.length)]!);
    const distinct = new Set(ofPredicates);
    const others = this.#images.flatMap((_, image) => (distinct.has(image) ? [] : [image]));
    // Images that are chosen several times take the place of others, as long as there are enough of them.
    const needed = Math.min(count - ofPredicates.length, others.length);
    for (let attempt = 0; needed >= 0 && attempt < MAX_ATTEMPTS; attempt++) {
      const chosen = [...ofPredicates, ...drawDistinct(random, others, needed)];
      const present = new Set(chosen.flatMap((image) => this.#images[image]!.categories));
      if (present.size < this.#categories.size) continue;
      const positions = Array.from({ length: sets }, () => new Map<number, number>());
      for (const image of chosen) {
        const { set, position } = this.#images[image]!;
        increment(positions[set]!, position);
      }
      return positions;
    }
    throw new OptionError(
      'training',
      `/fewShot ${share}: ${count} of ${this.#images.length} images are too few for all ${this.#relations.size} predicates and ${this.#categories.size} categories to occur; choose a larger share`,
    );
  }
}

/** Draws distinct items; it takes time in proportion to their number, unlike a shuffle of all. */
function drawDistinct(random: Random, items: readonly number[], count: number): Set<number> {
  if (count === items.length) return new Set(items);
  const drawn = new Set<number>();
  // Drawing those that are left out is faster if they are fewer.
  const drawsRest = count > items.length / 2;
  while (drawn.size < (drawsRest ? items.length - count : count))
    drawn.add(items[randomInteger(random, items.length)]!);
  return drawsRest ? new Set(items.filter((item) => !drawn.has(item))) : drawn;
}
