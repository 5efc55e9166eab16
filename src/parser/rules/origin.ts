import type { NounPhrase } from './noun-phrase.js';

/** Noun phrases joined by "and", which take part in a relation together. */
export type Group = readonly NounPhrase[];

/** The relation that introduced a group into its clause: in "a man riding a horse" the horse is the object of `riding`. */
export interface Origin {
  readonly subjects: Group;
  /** The preposition before it; empty for the direct object of a verb. */
  readonly preposition: string;
  /** The infinitive of the verb; undefined for a preposition without a verb. */
  readonly verb?: string | undefined;
  /** As written. */
  readonly text: string;
  /** Whether a comma is before it. */
  readonly isAside?: boolean;
}

/** Returns the relation that introduced a group; undefined when none did. */
export type OriginOf = (group: Group) => Origin | undefined;
