import type { Random } from '../../records/random.js';

/**
 * Draws names by their frequency and without replacement. A binary tree of sums makes each draw logarithmic in the
 * number of names.
 */
export class WeightedSampler {
  readonly names: readonly string[];
  readonly #indices: ReadonlyMap<string, number>;
  readonly #leaves: number;
  readonly #sums: Float64Array;

  /** @param frequencies integers; a name with frequency 0 is never drawn */
  constructor(frequencies: ReadonlyMap<string, number>) {
    this.names = [...frequencies.keys()];
    this.#indices = new Map(this.names.map((name, k) => [name, k]));
    this.#leaves = 1;
    while (this.#leaves < this.names.length) this.#leaves *= 2;
    this.#sums = new Float64Array(2 * this.#leaves);
    for (const [k, name] of this.names.entries()) this.#sums[this.#leaves + k] = frequencies.get(name)!;
    for (let node = this.#leaves - 1; node >= 1; node--)
      this.#sums[node] = this.#sums[2 * node]! + this.#sums[2 * node + 1]!;
  }

  /**
   * @param except names that are not drawn
   * @returns `count` names, or fewer if no more are left
   */
  draw(random: Random, count: number, except: Iterable<string> = []): string[] {
    const sums = this.#sums.slice();
    const remove = (index: number) => {
      const weight = sums[this.#leaves + index]!;
      for (let node = this.#leaves + index; node >= 1; node >>= 1) sums[node]! -= weight;
    };
    for (const name of new Set(except)) {
      const index = this.#indices.get(name);
      if (index !== undefined) remove(index);
    }
    const drawn: string[] = [];
    while (drawn.length < count && sums[1]! > 0) {
      let rest = random.next() * sums[1]!;
      let node = 1;
      while (node < this.#leaves) {
        node *= 2;
        // Sums of integers are exact, so that an empty branch is never entered.
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
