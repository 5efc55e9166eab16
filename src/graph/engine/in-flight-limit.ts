/** A bound on how many records are on their way at once. */
export class InFlightLimit {
  #free: number;
  #open = true;
  readonly #waiting: ((admitted: boolean) => void)[] = [];

  /** @param size how many may pass before one is released */
  constructor(size: number) {
    this.#free = size;
  }

  /** Resolves to true when there is room, or to false once the limit is closed. */
  acquire(): boolean | Promise<boolean> {
    if (!this.#open) return false;
    if (this.#free > 0) {
      this.#free--;
      return true;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Makes room for one more. */
  release(): void {
    const next = this.#waiting.shift();
    if (next) next(true);
    else this.#free++;
  }

  /** Lets nobody in any more. */
  close(): void {
    this.#open = false;
    for (const resolve of this.#waiting.splice(0)) resolve(false);
  }
}
