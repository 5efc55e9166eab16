import type { Random } from '../../records/random.js';

/** Other phrases for predicates. */
export interface Paraphrases {
  /** Probability that a predicate of a batch is paraphrased. */
  readonly probability: number;
  /** By predicate. */
  readonly phrases: Readonly<Record<string, readonly string[]>>;
}

/**
 * Paraphrases some predicates of a batch, without changing their order. A phrase that is already a label of the batch
 * is not used.
 */
export function paraphraseRelations(
  random: Random,
  relations: readonly string[],
  { probability, phrases }: Paraphrases,
): string[] {
  const used = new Set(relations);
  return relations.map((predicate) => {
    // Both numbers are always drawn, so that the phrase of one predicate does not depend on another's.
    const [isParaphrased, choice] = [random.next() < probability, random.next()];
    const unused = (Object.hasOwn(phrases, predicate) ? phrases[predicate]! : []).filter((phrase) => !used.has(phrase));
    if (!isParaphrased || unused.length === 0) return predicate;
    const phrase = unused[Math.floor(choice * unused.length)]!;
    used.add(phrase);
    return phrase;
  });
}
