/** A range of tokens. */
export interface Span {
  /** Index of the first token. */
  readonly start: number;
  /** Index after the last token. */
  readonly end: number;
}

/** A phrase that names an entity. */
export interface Mention extends Span {
  /** The entity's name in the gold graph, `cellphone` for `cell phone`; null for `each other`, which refers to another one. */
  readonly name: string | null;
}

/** A phrase that describes entities: a color, a state, a number. */
export interface AlignedAttribute extends Span {
  /** Its form in the gold graph: `2` for `two`. */
  readonly value: string;
  /** Indices of the mentions that own it. */
  readonly mentions: readonly number[];
}

/** A relation between two mentions. */
export interface AlignedRelation {
  /** Index of a mention. */
  readonly subject: number;
  /** Index of another mention. */
  readonly object: number;
  /** With verbs as lemmas: `sit on`. */
  readonly predicate: string;
}

/** A caption with the spans of its graph's parts: the training data of the neural parser. */
export interface AlignedCaption {
  /** Lower case, with corrected spelling. */
  readonly tokens: readonly string[];
  /** In reading order, without overlaps. */
  readonly mentions: readonly Mention[];
  readonly attributes: readonly AlignedAttribute[];
  readonly relations: readonly AlignedRelation[];
}
