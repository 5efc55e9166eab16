import { prepositionAt } from '../language/prepositions.js';

/** Placeholder in a label for a verb of the caption: `>V P` is "sit on", "stand next to"… */
export const VERB = 'V';
/** Placeholder in a label for a preposition of the caption, of any number of words. */
export const PREPOSITION = 'P';

/** The label of two mentions without a relation. */
export const NONE = 0;

/**
 * The labels that the network assigns to two mentions in reading order: `>` if the first one is the subject, `<` if the second
 * one is, then the predicate, in which placeholders stand for a verb and a preposition to copy from the caption.
 */
export class RelationLabels {
  /** The first label is empty and means no relation. */
  readonly names: readonly string[];
  /** 1 for labels with the placeholder of a verb. */
  readonly needsVerb: Uint8Array;
  /** 1 for labels with the placeholder of a preposition. */
  readonly needsPreposition: Uint8Array;
  /** 1 for labels whose first mention is the subject. */
  readonly isForward: Uint8Array;
  /** The words of each label's predicate. */
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

  /** The width of a row of label scores: a multiple of 8 for the kernels. */
  get width(): number {
    return Math.ceil(this.size / 8) * 8;
  }

  /** Returns a label's predicate. @param verb, preposition what replaces the placeholders */
  predicate(label: number, verb: string, preposition: string): string {
    let text = '';
    for (const part of this.#parts[label]!) {
      const word = part === VERB ? verb : part === PREPOSITION ? preposition : part;
      text = text === '' ? word : `${text} ${word}`;
    }
    return text;
  }
}

/** Returns the label of a predicate. @param isForward whether the subject comes first */
export const labelOf = (isForward: boolean, predicate: readonly string[]): string =>
  (isForward ? '>' : '<') + predicate.join(' ');

/**
 * Returns the preposition that starts at a word, joined with one that follows it: "leading up to a door" has `up to` at `up`.
 * Articles are dropped: `on the side of` becomes `on side of`. Undefined if no preposition starts there.
 */
export function relationLabelPrepositions(words: readonly string[], start: number): string | undefined {
  const first = prepositionAt(words, start);
  if (!first) return undefined;
  const second = prepositionAt(words, start + first.length);
  return second ? `${first.text} ${second.text}` : first.text;
}
