import type { CandidatePair, CandidateText, RelationSource } from '../records/candidate.js';

/** A relation text of a pair that no caption says. */
export interface AddedText {
  readonly subject: number;
  readonly object: number;
  readonly text: string;
}

/**
 * Adds relation texts to candidate pairs, sorted by subject and then by object. A text that a pair has already stays as it is.
 *
 * @returns the pairs, and the number of texts that are new
 */
export function addTexts(
  candidates: readonly CandidatePair[],
  added: readonly AddedText[],
  source: RelationSource,
): { readonly candidates: CandidatePair[]; readonly count: number } {
  const textsOf = new Map<string, { subject: number; object: number; texts: readonly CandidateText[] }>();
  for (const { subject, object, texts } of candidates) textsOf.set(`${subject} ${object}`, { subject, object, texts });
  let count = 0;
  for (const { subject, object, text } of added) {
    const key = `${subject} ${object}`;
    const known = textsOf.get(key)?.texts ?? [];
    if (known.some((one) => one.text === text)) continue;
    // Pairs of the same categories share one array of texts.
    textsOf.set(key, { subject, object, texts: [...known, { text, captions: [], source }] });
    count++;
  }
  const pairs = [...textsOf.values()].sort((a, b) => a.subject - b.subject || a.object - b.object);
  return { candidates: pairs as CandidatePair[], count };
}
