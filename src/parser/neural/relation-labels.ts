import { prepositionAt } from '../language/prepositions.js';

/** Stands in a label for the verb that the caption has: `> V P` for "sit on", "stand next to"… */
export const VERB = 'V';
/** Stands in a label for the preposition that the caption has, of whatever length. */
export const PREPOSITION = 'P';

/** No relation between two mentions. */
export const NONE = 0;

/**
 * What the network may say of two mentions, the first one before the second: `>` where the first is the subject, `<` where
 * the second is, and the predicate, whose verb and preposition may be left open, to be copied from the caption.
 */
export class RelationLabels {
  /** The first is empty and means no relation. */
  readonly names: readonly string[];
  /** 1 where a verb is left open. */
  readonly needsVerb: Uint8Array;
  /** 1 where a preposition is left open. */
  readonly needsPreposition: Uint8Array;
  /** 1 where the first mention is the subject. */
  readonly isForward: Uint8Array;
  /** Words of each label's predicate. */
  readonly #parts: readonly (readonly string[])[];

  constructor(names: readonly string[]) {
    this.names = names;
    this.#parts = names.map((name) => name.slice(1).split(' '));
    const has = (slot: string) => Uint8Array.from(this.#parts, (parts) => (parts.includes(slot) ? 1 : 0));
    this.needsVerb = has(VERB);
    this.needsPreposition = has(PREPOSITION);
    this.isForward = Uint8Array.from(names, (name) => (name.startsWith('>') ? 1 : 0));
  }

  get size(): number {
    return this.names.length;
  }

  /** Of a row of scores, one a label: a multiple of 8, as the kernels like it. */
  get width(): number {
    return Math.ceil(this.size / 8) * 8;
  }

  /** @param verb, preposition what fills an open label */
  predicate(label: number, verb: string, preposition: string): string {
    let text = '';
    for (const part of this.#parts[label]!) {
      const word = part === VERB ? verb : part === PREPOSITION ? preposition : part;
      text = text === '' ? word : `${text} ${word}`;
    }
    return text;
  }
}

/** @param isForward whether the subject stands first */
export const labelOf = (isForward: boolean, predicate: readonly string[]): string =>
  (isForward ? '>' : '<') + predicate.join(' ');

/**
 * The prepositions that start at a word, joined where one follows another: "leading up to a door" has `up to` at `up`.
 * Articles are left out, `on the side of` is `on side of`. Undefined where none starts.
 */
export function prepositionsAt(words: readonly string[], start: number): string | undefined {
  const first = prepositionAt(words, start);
  if (!first) return undefined;
  const second = prepositionAt(words, start + first.length);
  return second ? `${first.text} ${second.text}` : first.text;
}
