/** How much a benchmark's numbers differ from the expected ones. */
export interface Comparison {
  readonly numbers: number;
  /** The largest absolute difference; infinite where a number is missing or a text differs. */
  readonly largest: number;
  /** Where the largest difference is, such as `default.classes.3.ap`. */
  readonly where: string;
}

/** Collects differences from expected numbers. */
export class Differences {
  #numbers = 0;
  #largest = 0;
  #where = '';

  /** Compares every number, text and null of `expected` with the value at the same place of `actual`. */
  compare(actual: unknown, expected: unknown, where: string): void {
    if (typeof expected === 'object' && expected !== null) {
      for (const [key, value] of Object.entries(expected))
        this.compare((actual as Record<string, unknown> | undefined)?.[key], value, `${where}.${key}`);
      return;
    }
    this.#numbers++;
    const difference =
      typeof expected === 'number' && typeof actual === 'number'
        ? Math.abs(actual - expected)
        : (actual ?? null) === expected
          ? 0
          : Number.POSITIVE_INFINITY;
    if (difference > this.#largest || Number.isNaN(difference)) {
      this.#largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
      this.#where = where;
    }
  }

  result(): Comparison {
    return { numbers: this.#numbers, largest: this.#largest, where: this.#where };
  }
}
