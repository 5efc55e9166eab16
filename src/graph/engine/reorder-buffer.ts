import type { Outcome } from './record-tracker.js';

/** Holds outcomes that arrive in any order and hands them out in the order of the input. */
export class ReorderBuffer {
  readonly #outcomes = new Map<number, Outcome>();
  #total: number | null = null;
  #failure: { readonly error: unknown } | null = null;
  #wake: () => void = () => {};

  /** Adds the outcome of a record. */
  add(outcome: Outcome): void {
    this.#outcomes.set(outcome.ordinal, outcome);
    this.#wake();
  }

  /** @param total the input ends before this position: the outcomes before it have been added or will be */
  end(total: number): void {
    this.#total = total;
    this.#wake();
  }

  /** Makes `take` throw once it would have to wait. The first error wins. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  /** Resolves to the outcome at a position, or to null when the input ends before it. */
  async take(ordinal: number): Promise<Outcome | null> {
    for (;;) {
      const outcome = this.#outcomes.get(ordinal);
      if (outcome) {
        this.#outcomes.delete(ordinal);
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
