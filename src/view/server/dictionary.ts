/** Numbers the distinct texts of a column, from 0, so that the index holds and compares numbers. */
export class Dictionary {
  readonly #texts: string[] = [];
  readonly #ids = new Map<string, number>();

  /** The texts, by number. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  /** Returns the number of a text, a new one if it has none yet. */
  add(text: string): number {
    const found = this.#ids.get(text);
    if (found !== undefined) return found;
    this.#texts.push(text);
    this.#ids.set(text, this.#texts.length - 1);
    return this.#texts.length - 1;
  }

  /** Returns the number of a text; undefined if it does not occur. */
  find(text: string): number | undefined {
    return this.#ids.get(text);
  }

  /** Returns the text of a number. */
  text(id: number): string {
    return this.#texts[id] ?? '';
  }

  /** Returns the numbers of the texts for which a test holds. */
  where(test: (text: string) => boolean): number[] {
    return this.#texts.flatMap((text, id) => (test(text) ? [id] : []));
  }
}
