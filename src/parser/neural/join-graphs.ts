import type { Entity, TextGraph, TextRelation } from '../../records/text-graph.js';
import { isAbstract } from '../language/noun-classes.js';

/** Confidence of a relation that rules and network find, at least, and of one that only the rules find. */
const BOTH = 0.95;
const RULES_ONLY = 0.8;
/** A relation that only the network finds counts less than the network says: the rules read long captions better. */
const NETWORK_ONLY = 0.65;

/** Options of `joinGraphs`. */
export interface JoinOptions {
  /**
   * Whether the caption is short, as those that the network learned from: the rules then only add relations of phrases for which the
   * network has none.
   */
  readonly isPhrase: boolean;
  /** Tells whether the words between two offsets say that something is not so. */
  readonly isDenied: (start: number, end: number) => boolean;
}

/**
 * Joins the graphs of the network and of the rules: the network's phrases with the relations of both. Phrases are the same if they
 * end with the same word, and relations if they are between the same phrases; the rules then have the predicate.
 */
export function joinGraphs(network: TextGraph, rules: TextGraph, { isPhrase, isDenied }: JoinOptions): TextGraph {
  const related = new Set(network.relations.flatMap(({ subject, object }) => [subject, object]));
  const known = new Set(network.relations.map(({ subject, object }) => pairOf(subject, object)));
  const entities: Entity[] = [...network.entities];
  const byEnd = new Map(entities.map(({ end }, index) => [end, index]));
  const indexOf = (entity: Entity): number => {
    let index = byEnd.get(entity.end);
    if (index === undefined) {
      index = entities.findIndex(({ start, end }) => start < entity.end && entity.end < end);
      if (index < 0) index = entities.push(entity) - 1;
      byEnd.set(entity.end, index);
    }
    return index;
  };
  const relations: TextRelation[] = [];
  const found = new Map<string, number>();
  for (const relation of rules.relations) {
    const ends = [rules.entities[relation.subject]!, rules.entities[relation.object]!] as const;
    if (ends.some(({ lemma }) => isAbstract(lemma))) continue;
    if (isPhrase && !ends.every((entity) => byEnd.has(entity.end))) continue;
    const subject = indexOf(ends[0]);
    const object = indexOf(ends[1]);
    if (isPhrase && !known.has(pairOf(subject, object)) && (related.has(object) || relation.predicate === 'of'))
      continue;
    found.set(pairOf(subject, object), relations.length);
    relations.push({ ...annotated(relation), subject, object, confidence: RULES_ONLY });
  }
  for (const relation of network.relations) {
    const at = found.get(pairOf(relation.subject, relation.object));
    if (at === undefined) {
      const ends = [entities[relation.subject]!, entities[relation.object]!] as const;
      if (
        isDenied(Math.min(ends[0].start, ends[1].start), Math.max(ends[0].end, ends[1].end)) ||
        (!isPhrase && ends.some(({ lemma }) => isAbstract(lemma)))
      )
        continue;
      relations.push(isPhrase ? relation : { ...relation, confidence: round(relation.confidence! * NETWORK_ONLY) });
      continue;
    }
    const same = relations[at]!;
    const confidence = Math.max(BOTH, relation.confidence!);
    const isSame = same.predicate === relation.predicate && same.subject === relation.subject;
    relations[at] = { ...(isSame ? relation : same), confidence };
  }
  relations.sort((a, b) => orderOf(entities, a) - orderOf(entities, b));
  return isPhrase ? { entities, relations } : withoutAbstract({ entities, relations });
}

/** Drops phrases that name nothing visible, with their relations. */
export function withoutAbstract({ entities, relations }: TextGraph): TextGraph {
  const kept = entities.filter(({ lemma }) => !isAbstract(lemma));
  if (kept.length === entities.length) return { entities, relations };
  const indices = new Map(kept.map((entity, index) => [entity, index]));
  const related: TextRelation[] = [];
  for (const relation of relations) {
    const subject = indices.get(entities[relation.subject]!);
    const object = indices.get(entities[relation.object]!);
    if (subject !== undefined && object !== undefined) related.push({ ...relation, subject, object });
  }
  return { entities: kept, relations: related };
}

/** Adds the wording of FACTUAL's annotators to a relation that only the rules find. */
function annotated(relation: TextRelation): TextRelation {
  const { predicate, lemma } = relation;
  if (relation.inferred) return relation;
  if (predicate === 'of') return { ...relation, inferred: { lemma: 'have', swapped: true } };
  const passive = /^(\S+) (?:by|with|in)$/.exec(lemma);
  if (passive && /^\S*(?:ed|worn|held|drawn|driven|ridden|eaten|thrown|taken) (?:by|with)$/.test(predicate))
    return { ...relation, inferred: { lemma: passive[1]!, swapped: true } };
  return relation;
}

const pairOf = (subject: number, object: number) =>
  subject < object ? `${subject} ${object}` : `${object} ${subject}`;
const round = (confidence: number) => Math.round(confidence * 1e4) / 1e4;

/** Reading order: by the end of the later phrase. */
const orderOf = (entities: readonly Entity[], { subject, object }: TextRelation) =>
  Math.max(entities[subject]!.end, entities[object]!.end) * 4096 +
  Math.min(entities[subject]!.end, entities[object]!.end);
