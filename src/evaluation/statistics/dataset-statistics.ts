import { increment } from '../../records/increment.js';
import type { SceneGraph } from '../../records/scene-graph.js';

/** Counts of a set of scene graphs. Names are sorted by frequency, the most frequent first. */
export interface DatasetStatistics {
  readonly images: number;
  readonly objects: number;
  readonly captions: number;
  readonly relations: number;
  readonly imagesWithRelation: number;
  readonly categories: readonly (readonly [name: string, count: number])[];
  readonly predicates: readonly (readonly [name: string, count: number])[];
  /** Triplets as `subject category, predicate, object category`, with `-` in the place of an object that a relation lacks. */
  readonly triplets: readonly (readonly [name: string, count: number])[];
  /** Number of relations with at least each confidence; human-annotated relations count as 1. */
  readonly confidence: readonly (readonly [atLeast: number, count: number])[];
}

const STEPS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/**
 * Counts images, objects, captions, relations, names and confidences of scene graphs in one pass. Memory grows only with the
 * number of distinct triplets.
 *
 * @example
 * ```ts
 * import { RunFolder } from 'relflow';
 * import { datasetStatistics } from 'relflow/evaluation';
 *
 * const { relations, predicates } = await datasetStatistics(new RunFolder('out').lines('scene-graphs', 'scene-graph'));
 * console.log(relations, predicates.slice(0, 10));
 * ```
 */
export async function datasetStatistics(
  graphs: AsyncIterable<Pick<SceneGraph, 'objects' | 'captions' | 'relations'>>,
): Promise<DatasetStatistics> {
  const totals = { images: 0, objects: 0, captions: 0, relations: 0, imagesWithRelation: 0 };
  const categories = new Map<string, number>();
  const predicates = new Map<string, number>();
  const triplets = new Map<string, number>();
  const confidence = new Map(STEPS.map((step) => [step, 0]));
  for await (const { objects, captions, relations } of graphs) {
    totals.images++;
    totals.objects += objects.length;
    totals.captions += captions.length;
    totals.relations += relations.length;
    if (relations.length > 0) totals.imagesWithRelation++;
    for (const { category } of objects) increment(categories, category);
    for (const relation of relations) {
      increment(predicates, relation.predicate);
      const [subject, object] = [relation.subject, relation.object].map((at) =>
        at === null ? '-' : objects[at]?.category,
      );
      increment(triplets, `${subject}, ${relation.predicate}, ${object}`);
      for (const step of STEPS) if ((relation.confidence ?? 1) >= step) increment(confidence, step);
    }
  }
  return {
    ...totals,
    categories: byCount(categories),
    predicates: byCount(predicates),
    triplets: byCount(triplets),
    confidence: [...confidence],
  };
}

function byCount(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
