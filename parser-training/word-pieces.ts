/** Ids of the pieces at the start and end of a text and of the unknown piece. */
export interface SpecialPieces {
  readonly start: number;
  readonly end: number;
  readonly unknown: number;
}

/**
 * Splits words into the longest matching pieces of a vocabulary (WordPiece); pieces inside a word start with `##`.
 *
 * Source: Devlin et al., "BERT", 2019, and its tokenizer, uncased.
 */
export class WordPieces {
  readonly special: SpecialPieces;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #known = new Map<string, readonly number[]>();

  /** @param vocabulary pieces in the order of their ids @throws Error if a special piece is missing */
  constructor(vocabulary: readonly string[]) {
    this.#ids = new Map(vocabulary.map((piece, id) => [piece, id]));
    this.special = { start: this.#idOf('[CLS]'), end: this.#idOf('[SEP]'), unknown: this.#idOf('[UNK]') };
  }

  #idOf(piece: string): number {
    const id = this.#ids.get(piece);
    if (id === undefined) throw new Error(`vocabulary of word pieces: no ${piece}, expected [CLS], [SEP] and [UNK]`);
    return id;
  }

  /** Returns the ids of a word's pieces, at least one. @param word lower case */
  split(word: string): readonly number[] {
    let ids = this.#known.get(word);
    if (ids) return ids;
    // Punctuation marks are words of their own: `t-shirt` is `t`, `-`, `shirt`.
    ids = word
      .normalize('NFD')
      .replace(/\p{Mn}/gu, '')
      .split(/([^\p{L}\p{N}])/u)
      .filter((part) => part !== '')
      .flatMap((part) => this.#splitPart(part));
    if (ids.length === 0) ids = [this.special.unknown];
    this.#known.set(word, ids);
    return ids;
  }

  #splitPart(part: string): number[] {
    const ids: number[] = [];
    for (let start = 0; start < part.length; ) {
      let end = part.length;
      let id: number | undefined;
      for (; end > start && id === undefined; end--)
        id = this.#ids.get((start > 0 ? '##' : '') + part.slice(start, end));
      if (id === undefined) return [this.special.unknown];
      ids.push(id);
      start = end + 1;
    }
    return ids;
  }
}
