/** Role of a word in a caption, finer than a part of speech where the rules need it. */
export type WordClass =
  | 'noun'
  | 'adjective'
  | 'adverb'
  | 'number'
  | 'determiner'
  | 'pronoun'
  /** The possessive `'s`. */
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
  /** `while`, `as`, `because`: a new clause follows. */
  | 'while'
  | 'other';

/** Checks whether words of this class form noun phrases. */
export const isNominal = (tag: WordClass | undefined): boolean => tag === 'noun' || tag === 'adjective';

/** Stands for quoted words among the words of a sentence. */
export const QUOTE = '"';
