import type { Relation } from '../../records/scene-graph.js';
import type { ExportInput } from './export-format.js';

/** A relation between two objects. */
export type PairRelation = Relation & { readonly object: number };

/** Returns the relations that have an object, and counts the others as `relation-without-object`. */
export function pairRelations(relations: readonly Relation[], note: ExportInput['note']): readonly PairRelation[] {
  if (relations.every(hasObject)) return relations as readonly PairRelation[];
  for (const { object, predicate } of relations) if (object === null) note('relation-without-object', predicate);
  return relations.filter(hasObject);
}

const hasObject = (relation: Relation): relation is PairRelation => relation.object !== null;
