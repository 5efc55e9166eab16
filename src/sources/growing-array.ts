/** A list of numbers in one typed array, which doubles when it is full. */
export class GrowingArray<A extends Float64Array | Int32Array> {
  readonly #make: (length: number) => A;
  #values: A;
  #length = 0;

  /** @param make e.g. `(length) => new Int32Array(length)` */
  constructor(make: (length: number) => A) {
    this.#make = make;
    this.#values = make(1024);
  }

  get length(): number {
    return this.#length;
  }

  /** The value at an index below `length`. */
  at(index: number): number {
    return this.#values[index] as number;
  }

  set(index: number, value: number): void {
    this.#values[index] = value;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const wider = this.#make(this.#length * 2);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#length++] = value;
  }
}
