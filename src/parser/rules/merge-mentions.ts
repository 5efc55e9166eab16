import type { Coreference, Entity, TextGraph, TextRelation } from '../../records/text-graph.js';
import type { Mention } from './antecedents.js';

/**
 * Merges the entities of a graph that are one thing, and the relations that then say the same. What was joined is in
 * `coreference`. The entities of a mention are found by the last letter of its phrase, so that the graph may be another parser's.
 */
export function mergeMentions(caption: string, graph: TextGraph, mentions: readonly Mention[]): TextGraph {
  if (mentions.length === 0) return graph;
  const { entities, relations } = graph;
  const byEnd = new Map(entities.map(({ end }, index) => [end, index]));
  const indexOf = ({ end }: { readonly end: number }) => byEnd.get(end);
  const related = new Set(relations.map(({ subject, object }) => pairOf(subject, object)));
  const merged = new Map<number, readonly number[]>();
  const resolve = (index: number): readonly number[] => merged.get(index) ?? [index];
  const found: { readonly mention: Mention; readonly targets: readonly number[] }[] = [];
  for (const mention of mentions) {
    const indices = mention.antecedents.map(({ entity }) => indexOf(entity));
    if (indices.length === 0 || indices.includes(undefined)) continue;
    const targets = [...new Set(indices.flatMap((index) => resolve(index!)))];
    const own = indexOf(mention);
    // Another parser may have an entity for a pronoun.
    if (own !== undefined && entities[own]!.start === mention.start && !targets.includes(own) && !isIdentity(mention))
      merged.set(own, targets);
    if (isIdentity(mention)) {
      // "The man next to the man" has two of them.
      if (own !== undefined && targets.some((target) => target === own || related.has(pairOf(own, target)))) continue;
      if (own !== undefined) merged.set(own, targets);
    }
    found.push({ mention, targets });
  }
  if (found.length === 0) return graph;
  const kept = [...entities.keys()].filter((index) => !merged.has(index));
  const position = new Map(kept.map((index, at) => [index, at]));
  const positionsOf = (index: number) => resolve(index).map((target) => position.get(target)!);
  return {
    entities: withAttributes(entities, kept, merged),
    relations: mergedRelations(relations, positionsOf),
    coreference: found
      .map(
        ({ mention: { start, end, rule }, targets }): Coreference => ({
          span: caption.slice(start, end),
          start,
          end,
          entities: targets.map((target) => position.get(target)!),
          rule,
        }),
      )
      .sort((a, b) => a.start - b.start),
  };
}

const isIdentity = ({ rule }: Mention) => rule === 'same-noun' || rule === 'same-kind';
const pairOf = (a: number, b: number) => (a < b ? `${a} ${b}` : `${b} ${a}`);

/** Gives the entities that are kept the attributes of those merged into them. */
function withAttributes(
  entities: readonly Entity[],
  kept: readonly number[],
  merged: ReadonlyMap<number, readonly number[]>,
): Entity[] {
  const added = new Map<number, Entity['attributes']>();
  for (const [index, targets] of merged)
    if (targets.length === 1)
      added.set(targets[0]!, [...(added.get(targets[0]!) ?? []), ...entities[index]!.attributes]);
  return kept.map((index) => {
    const entity = entities[index]!;
    const attributes = new Map([...entity.attributes, ...(added.get(index) ?? [])].map((one) => [one.lemma, one]));
    return attributes.size === entity.attributes.length ? entity : { ...entity, attributes: [...attributes.values()] };
  });
}

/** Gives relations their merged ends; of those that say the same the most confident one is kept. */
function mergedRelations(relations: readonly TextRelation[], of: (index: number) => readonly number[]): TextRelation[] {
  const facts = new Map<string, TextRelation>();
  for (const relation of relations)
    for (const subject of of(relation.subject))
      for (const object of of(relation.object)) {
        if (subject === object && relation.subject !== relation.object) continue;
        const key = `${subject} ${object} ${relation.lemma}`;
        const known = facts.get(key);
        if (known && (known.confidence ?? 1) >= (relation.confidence ?? 1)) continue;
        facts.set(key, { ...relation, subject, object });
      }
  return [...facts.values()];
}
