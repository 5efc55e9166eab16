import type { Id } from '../records/image.js';

const empty = -1;

/**
 * Numbers ids in the order in which they come: 0, 1, 2… Whole numbers are kept in typed arrays, 12 to 24 bytes each; 7
 * and '7' are different ids.
 */
export class IdIndex {
  #keys = new Float64Array(1024);
  #ordinals = new Int32Array(1024).fill(empty);
  #numbers = 0;
  readonly #strings = new Map<string, number>();

  /** How many ids there are. */
  get size(): number {
    return this.#numbers + this.#strings.size;
  }

  /** The id's number, or undefined. */
  get(id: Id): number | undefined {
    if (typeof id === 'string') return this.#strings.get(id);
    const ordinal = this.#ordinals[this.#slot(id)] as number;
    return ordinal === empty ? undefined : ordinal;
  }

  /** The id's new number; undefined where the id is already there. */
  add(id: Id): number | undefined {
    const ordinal = this.size;
    if (typeof id === 'string') {
      if (this.#strings.has(id)) return undefined;
      this.#strings.set(id, ordinal);
      return ordinal;
    }
    const slot = this.#slot(id);
    if (this.#ordinals[slot] !== empty) return undefined;
    this.#keys[slot] = id;
    this.#ordinals[slot] = ordinal;
    if (++this.#numbers * 2 > this.#keys.length) this.#grow();
    return ordinal;
  }

  /** Where a number is, or where it would be put: open addressing with linear probing. */
  #slot(id: number): number {
    const mask = this.#keys.length - 1;
    let slot = mixed(id) & mask;
    for (;;) {
      if (this.#ordinals[slot] === empty || this.#keys[slot] === id) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const keys = this.#keys;
    const ordinals = this.#ordinals;
    this.#keys = new Float64Array(keys.length * 2);
    this.#ordinals = new Int32Array(keys.length * 2).fill(empty);
    for (let i = 0; i < keys.length; i++) {
      if (ordinals[i] === empty) continue;
      const slot = this.#slot(keys[i] as number);
      this.#keys[slot] = keys[i] as number;
      this.#ordinals[slot] = ordinals[i] as number;
    }
  }
}

/** Spreads ids, which are often multiples of something, over 32 bits. Source: the finaliser of MurmurHash3. */
function mixed(id: number): number {
  let h = (id | 0) ^ Math.imul((id / 0x1_0000_0000) | 0, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
