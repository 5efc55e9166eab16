const CHUNK_BITS = 10;
const CHUNK = 1 << CHUNK_BITS;

/**
 * A growing list of numbers, stored in typed arrays of equal length, so that growth copies nothing and wastes little.
 */
export class GrowingArray<A extends Float64Array | Int32Array> {
  readonly #make: (length: number) => A;
  readonly #chunks: A[] = [];
  #length = 0;

  /** @param make creates a typed array, e.g. `(length) => new Int32Array(length)` */
  constructor(make: (length: number) => A) {
    this.#make = make;
  }

  get length(): number {
    return this.#length;
  }

  /** Returns the value at an index below `length`. */
  at(index: number): number {
    return this.#chunks[index >>> CHUNK_BITS]![index & (CHUNK - 1)] as number;
  }

  push(value: number): void {
    const at = this.#length++ & (CHUNK - 1);
    if (at === 0) this.#chunks.push(this.#make(CHUNK));
    this.#chunks.at(-1)![at] = value;
  }

  /** Copies all values to one typed array. */
  toTypedArray(): A {
    const all = this.#make(this.#length);
    for (const [index, chunk] of this.#chunks.entries()) {
      const start = index * CHUNK;
      all.set(chunk.subarray(0, this.#length - start), start);
    }
    return all;
  }
}
