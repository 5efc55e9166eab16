import type { Mistake } from './benchmark-report.js';

/** Keeps the wrong predictions with the highest scores. */
export class HighestMistakes {
  readonly #most: number;
  #kept: Mistake[] = [];

  /** @param most number of mistakes to keep; 0 keeps none */
  constructor(most: number) {
    this.#most = most;
  }

  /** Adds a mistake if its score is among the highest so far; `make` is called only then. */
  add(score: number, make: () => Mistake): void {
    if (this.#most === 0 || (this.#kept.length === this.#most && !(score > this.#kept.at(-1)!.score))) return;
    const at = this.#kept.findIndex((mistake) => mistake.score < score);
    this.#kept.splice(at < 0 ? this.#kept.length : at, 0, make());
    this.#kept.length = Math.min(this.#kept.length, this.#most);
  }

  /** Returns the mistakes, the highest score first. */
  list(): readonly Mistake[] {
    return this.#kept;
  }
}
