import type { Relation, SceneGraph } from '../../records/scene-graph.js';
import { parseRelationExpression, type RelationTest, relationTest } from '../relation-expression.js';
import type { ExportInput } from './export-format.js';
import type { ExportOptions } from './export-options.js';
import { type Splitter, splitter } from './split.js';
import type { SplitGraph } from './split-graph.js';

/**
 * Makes a function that yields scene graphs with what the options keep of them.
 * @param note counts what is dropped because of its name
 */
export function graphFilter(
  options: ExportOptions,
  note: ExportInput['note'],
): (graphs: AsyncIterable<SceneGraph>) => AsyncGenerator<SplitGraph, void> {
  const keepsRelation = relationFilter(options);
  const { relatedOnly = false } = options;
  const listed = options.categories && new Set(options.categories);
  const predicates = options.predicates && new Set(options.predicates);
  const split: Splitter | null = options.split === undefined ? null : splitter(options.split, options.seed);
  return async function* (graphs) {
    for await (const whole of graphs) {
      const name = split?.splitOf(whole.image) ?? null;
      let graph = keepsRelation ? withRelations(whole, keepsRelation) : whole;
      if (listed) graph = withCategories(graph, listed, note);
      if (predicates)
        graph = withRelations(graph, ({ predicate }) => {
          if (!predicates.has(predicate)) note('predicate-not-listed', predicate);
          return predicates.has(predicate);
        });
      if (relatedOnly && graph.relations.length === 0) continue;
      yield { graph, split: name };
    }
  };
}

function relationFilter({ minConfidence = 0, where }: ExportOptions): RelationTest | null {
  const holds = where === undefined ? null : relationTest(parseRelationExpression(where, 'where'));
  if (minConfidence === 0) return holds;
  const isSure: RelationTest = ({ confidence = 1 }) => confidence >= minConfidence;
  return holds ? (relation, graph) => isSure(relation, graph) && holds(relation, graph) : isSure;
}

function withRelations(graph: SceneGraph, keeps: RelationTest): SceneGraph {
  const relations = graph.relations.filter((relation) => keeps(relation, graph));
  return relations.length === graph.relations.length ? graph : { ...graph, relations };
}

/** Drops the objects of other categories, and their relations. */
function withCategories(graph: SceneGraph, listed: ReadonlySet<string>, note: ExportInput['note']): SceneGraph {
  if (graph.objects.every(({ category }) => listed.has(category))) return graph;
  const places: (number | null)[] = [];
  let count = 0;
  const objects = graph.objects.filter(({ category }) => {
    const isKept = listed.has(category);
    if (!isKept) note('category-not-listed', category);
    places.push(isKept ? count++ : null);
    return isKept;
  });
  const relations = graph.relations.flatMap((relation): Relation[] => {
    const subject = places[relation.subject] ?? null;
    const object = relation.object === null ? null : (places[relation.object] ?? null);
    const isLost = subject === null || (object === null && relation.object !== null);
    return isLost ? [] : [{ ...relation, subject, object }];
  });
  return { ...graph, objects, relations };
}
