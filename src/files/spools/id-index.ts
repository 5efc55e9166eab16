import type { Id } from '../../records/image.js';
import { seededHashOfNumber } from '../seeded-hash.js';
import { GrowingArray } from './growing-array.js';

const empty = -1;

/**
 * Assigns the ordinals 0, 1, 2… to ids in the order in which they are added. Integer ids are stored in typed arrays and
 * take 16 to 32 bytes each; 7 and '7' are different ids.
 */
export class IdIndex {
  /** Integer ids by ordinal; NaN for strings. */
  readonly #keys = new GrowingArray((length) => new Float64Array(length));
  #ordinals = new Int32Array(1024).fill(empty);
  #numbers = 0;
  readonly #strings = new Map<string, number>();

  /** The number of ids. */
  get size(): number {
    return this.#numbers + this.#strings.size;
  }

  /** Returns the ordinal of an id, or undefined. */
  get(id: Id): number | undefined {
    if (typeof id === 'string') return this.#strings.get(id);
    const ordinal = this.#ordinals[this.#slot(id)] as number;
    return ordinal === empty ? undefined : ordinal;
  }

  /** Adds an id and returns its ordinal; undefined if the id was added before. */
  add(id: Id): number | undefined {
    const ordinal = this.size;
    if (typeof id === 'string') {
      if (this.#strings.has(id)) return undefined;
      this.#strings.set(id, ordinal);
      this.#keys.push(Number.NaN);
      return ordinal;
    }
    const slot = this.#slot(id);
    if (this.#ordinals[slot] !== empty) return undefined;
    this.#keys.push(id);
    this.#ordinals[slot] = ordinal;
    if (++this.#numbers * 2 > this.#ordinals.length) this.#grow();
    return ordinal;
  }

  /** Returns the slot of an integer id, or the slot where it would be stored: open addressing with linear probing. */
  #slot(id: number): number {
    const mask = this.#ordinals.length - 1;
    let slot = seededHashOfNumber(id) & mask;
    for (;;) {
      const ordinal = this.#ordinals[slot] as number;
      if (ordinal === empty || this.#keys.at(ordinal) === id) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const before = this.#ordinals;
    this.#ordinals = new Int32Array(before.length * 2).fill(empty);
    for (const ordinal of before) {
      if (ordinal !== empty) this.#ordinals[this.#slot(this.#keys.at(ordinal))] = ordinal;
    }
  }
}
