/** How often something was counted under a name, and an example. */
export interface NoteCount {
  readonly count: number;
  readonly example: string;
}

/** Counts by name, each with its first example. */
export class NoteCounts {
  readonly #counts = new Map<string, NoteCount>();

  add(reason: string, example: string, count = 1): void {
    const found = this.#counts.get(reason);
    this.#counts.set(reason, { count: (found?.count ?? 0) + count, example: found?.example ?? example });
  }

  /** The counts in the order of their first examples. */
  get counts(): ReadonlyMap<string, NoteCount> {
    return this.#counts;
  }
}
