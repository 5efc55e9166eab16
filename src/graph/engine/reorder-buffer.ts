import type { Outcome } from './record-tracker.js';

/** Where outcomes wait until it is their turn. */
export class ReorderBuffer {
  readonly #arrived = new Map<number, Outcome>();
  #total: number | null = null;
  #failure: { readonly error: unknown } | null = null;
  #wake: () => void = () => {};

  add(outcome: Outcome): void {
    this.#arrived.set(outcome.ordinal, outcome);
    this.#wake();
  }

  /** @param total outcomes from 0 up to, and without, this number have come or will come */
  end(total: number): void {
    this.#total = total;
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  /** The outcome of a record, or null where the input has ended before it. */
  async take(ordinal: number): Promise<Outcome | null> {
    for (;;) {
      const outcome = this.#arrived.get(ordinal);
      if (outcome) {
        this.#arrived.delete(ordinal);
        return outcome;
      }
      if (this.#failure) throw this.#failure.error;
      if (this.#total !== null && ordinal >= this.#total) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
