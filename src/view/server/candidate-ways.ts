import { addToList } from '../../records/add-to-list.js';
import type { CandidatePair } from '../../records/candidate.js';
import type { Relation, SceneGraph } from '../../records/scene-graph.js';
import { relationSource } from '../../sinks/relation-expression.js';
import type { ImageCandidate } from '../view-api.js';

/**
 * Returns what happened to each candidate of an image: it is a relation, a relation has it as another wording, or it was dropped.
 * @param threshold of the tagger; null if it is not known, or other stages drop relations too
 */
export function candidateWays(
  { relations }: Pick<SceneGraph, 'relations'>,
  candidates: readonly CandidatePair[],
  threshold: number | null,
): ImageCandidate[] {
  const byPair = new Map<string, Relation[]>();
  for (const relation of relations) {
    const key = pairKey(relation);
    addToList(byPair, key, relation);
  }
  return candidates.flatMap(({ subject, object, texts }) => {
    const found = byPair.get(pairKey({ subject, object })) ?? [];
    return texts.map(({ text, captions, source }) => ({
      subject,
      predicate: text,
      object,
      captions,
      source: relationSource({ ...(source && { source }), captions }),
      ...wayOf(text, found, threshold),
    }));
  });
}

const pairKey = ({ subject, object }: Pick<Relation, 'subject' | 'object'>) => `${subject} ${object}`;

function wayOf(
  text: string,
  relations: readonly Relation[],
  threshold: number | null,
): Pick<ImageCandidate, 'isKept' | 'reason' | 'why'> {
  const kept = relations.find(({ predicate }) => predicate === text);
  if (kept) {
    const { confidence } = kept;
    const score = confidence === undefined ? '' : `: its confidence is ${confidence.toFixed(3)}`;
    return { isKept: true, reason: 'kept', why: `kept${score}` };
  }
  const merged = relations.find(({ wordings = [] }) => wordings.some(({ predicate }) => predicate === text));
  if (merged)
    return { isKept: false, reason: 'wordings-merged', why: `says the same as '${merged.predicate}', which has it` };
  return threshold === null
    ? { isKept: false, reason: 'not-kept', why: 'dropped by a stage after the pairing' }
    : { isKept: false, reason: 'below-threshold', why: `dropped: its score is not above ${threshold}` };
}
