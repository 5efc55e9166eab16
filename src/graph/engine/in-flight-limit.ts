/** Limits the number of records in flight. */
export class InFlightLimit {
  #free: number;
  #open = true;
  readonly #waiting: ((admitted: boolean) => void)[] = [];

  /** @param size the most records that are in flight at once */
  constructor(size: number) {
    this.#free = size;
  }

  /** Resolves to true when there is room for a record, or to false once the limit is closed. */
  acquire(): boolean | Promise<boolean> {
    if (!this.#open) return false;
    if (this.#free > 0) {
      this.#free--;
      return true;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Makes room for another record. */
  release(): void {
    const next = this.#waiting.shift();
    if (next) next(true);
    else this.#free++;
  }

  /** Admits no more records, including those that wait. */
  close(): void {
    this.#open = false;
    for (const resolve of this.#waiting.splice(0)) resolve(false);
  }
}
