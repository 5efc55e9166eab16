/** What a word does in a caption. */
export type WordClass =
  | 'noun'
  | 'adjective'
  | 'adverb'
  | 'number'
  | 'determiner'
  | 'pronoun'
  /** The `'s` of an owner. */
  | 'possessive'
  | 'verb'
  /** A form of `be`, or an auxiliary before another verb. */
  | 'be'
  /** The `to` of an infinitive. */
  | 'to'
  | 'preposition'
  | 'and'
  | 'comma'
  /** `who`, `which` or `that` after a noun. */
  | 'relative'
  /** `while`, `as`, `because`: a clause of its own follows. */
  | 'while'
  | 'other';

/** Whether it makes up noun phrases. */
export const isNominal = (tag: WordClass | undefined): boolean => tag === 'noun' || tag === 'adjective';
