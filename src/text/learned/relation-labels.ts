/** Stands in a label for the verb that the caption has: `> V on` for "sit on", "stand on"… */
export const VERB = 'V';

/** No relation between two mentions. */
export const NONE = 0;

/**
 * What the network may say of two mentions, the first one before the second: `>` where the first is the subject, `<` where
 * the second is, and the predicate, whose verb may be left open.
 */
export class RelationLabels {
  /** The first is empty and means no relation. */
  readonly names: readonly string[];
  /** 1 where a verb is left open. */
  readonly open: Uint8Array;

  constructor(names: readonly string[]) {
    this.names = names;
    this.open = Uint8Array.from(names, (name) => (name.slice(1).split(' ')[0] === VERB ? 1 : 0));
  }

  get size(): number {
    return this.names.length;
  }

  isForward(label: number): boolean {
    return this.names[label]!.startsWith('>');
  }

  /** @param verb the lemma that fills an open label */
  predicate(label: number, verb: string): string {
    const predicate = this.names[label]!.slice(1);
    return this.open[label] ? verb + predicate.slice(VERB.length) : predicate;
  }
}

/** @param isForward whether the subject stands first */
export const labelOf = (isForward: boolean, predicate: string): string => (isForward ? '>' : '<') + predicate;
