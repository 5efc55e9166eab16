/** A run of tokens. */
export interface Span {
  /** Index of the first token. */
  readonly start: number;
  /** Index after the last token. */
  readonly end: number;
}

/** A phrase that names an entity. */
export interface Mention extends Span {
  /** The entity as the gold graph has it: `cellphone` for `cell phone`; null for `each other`, which names none itself. */
  readonly name: string | null;
}

/** A phrase that says something of entities: a colour, a state, how many. */
export interface AlignedAttribute extends Span {
  /** As the gold graph has it: `2` for `two`. */
  readonly value: string;
  /** Indices of the mentions that it is said of. */
  readonly mentions: readonly number[];
}

export interface AlignedRelation {
  /** Index of a mention. */
  readonly subject: number;
  /** Index of another mention. */
  readonly object: number;
  /** Verbs as lemmas: `sit on`. */
  readonly predicate: string;
}

/** A caption whose words are told what they stand for in its graph: what the learned parser learns from. */
export interface AlignedCaption {
  /** Lower case, spelling repaired. */
  readonly tokens: readonly string[];
  /** In reading order; none overlaps another. */
  readonly mentions: readonly Mention[];
  readonly attributes: readonly AlignedAttribute[];
  readonly relations: readonly AlignedRelation[];
}
