import type { Random } from '../../records/random.js';

/**
 * Names with how often they come, of which some are drawn without replacement: each time one of those left, as likely as
 * it is frequent. A binary tree of sums makes a draw take as long as the tree is deep, however few names are left.
 */
export class WeightedSampler {
  readonly names: readonly string[];
  readonly #places: ReadonlyMap<string, number>;
  readonly #leaves: number;
  readonly #sums: Float64Array;

  /** @param frequencies whole numbers; a name of frequency 0 is never drawn */
  constructor(frequencies: ReadonlyMap<string, number>) {
    this.names = [...frequencies.keys()];
    this.#places = new Map(this.names.map((name, k) => [name, k]));
    this.#leaves = 1;
    while (this.#leaves < this.names.length) this.#leaves *= 2;
    this.#sums = new Float64Array(2 * this.#leaves);
    for (const [k, name] of this.names.entries()) this.#sums[this.#leaves + k] = frequencies.get(name)!;
    for (let node = this.#leaves - 1; node >= 1; node--)
      this.#sums[node] = this.#sums[2 * node]! + this.#sums[2 * node + 1]!;
  }

  /**
   * @param except names that are not drawn
   * @returns at most `count`; fewer where no more are left
   */
  draw(random: Random, count: number, except: Iterable<string> = []): string[] {
    const sums = this.#sums.slice();
    const remove = (place: number) => {
      const weight = sums[this.#leaves + place]!;
      for (let node = this.#leaves + place; node >= 1; node >>= 1) sums[node]! -= weight;
    };
    for (const name of new Set(except)) {
      const place = this.#places.get(name);
      if (place !== undefined) remove(place);
    }
    const drawn: string[] = [];
    while (drawn.length < count && sums[1]! > 0) {
      let rest = random.next() * sums[1]!;
      let node = 1;
      while (node < this.#leaves) {
        node *= 2;
        // Frequencies are whole numbers, so that sums are exact and no empty branch is entered.
        if (rest >= sums[node]! && sums[node + 1]! > 0) {
          rest -= sums[node]!;
          node++;
        }
      }
      drawn.push(this.names[node - this.#leaves]!);
      remove(node - this.#leaves);
    }
    return drawn;
  }
}
