/** Words from the first to the one after the last. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

/** Spans of several taggings of a caption, each once: what is found out of one serves all taggings that have it. */
export class SpanSet {
  readonly spans: TokenSpan[] = [];
  readonly #places = new Map<number, number>();

  /** @returns its place among the spans */
  add(span: TokenSpan): number {
    const key = span.start * longest + span.end;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.spans.length);
    return this.spans.push(span) - 1;
  }
}

/** More than a caption has words. */
const longest = 4096;
