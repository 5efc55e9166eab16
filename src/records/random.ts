/** A seeded generator of pseudorandom numbers that returns the same numbers on every machine (mulberry32). */
export class Random {
  #state: number;

  /** @param seed an integer; its lower 32 bits count */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The state, an unsigned 32-bit integer: all further numbers depend on it alone. */
  get state(): number {
    return this.#state;
  }

  set state(state: number) {
    this.#state = state;
  }

  /** Returns a uniform number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /**
   * Returns an approximately normal number of mean 0 and variance 1. It is the sum of twelve uniform numbers, so that
   * the result does not depend on the logarithm of the platform.
   */
  normal(): number {
    let sum = -6;
    for (let k = 0; k < 12; k++) sum += this.next();
    return sum;
  }

  /**
   * Shuffles an array in place (Fisher-Yates).
   * @returns the same array
   */
  shuffle<T>(items: T[]): T[] {
    for (let k = items.length - 1; k > 0; k--) {
      const other = Math.floor(this.next() * (k + 1));
      [items[k], items[other]] = [items[other]!, items[k]!];
    }
    return items;
  }
}
