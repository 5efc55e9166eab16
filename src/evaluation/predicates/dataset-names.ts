import type { ImageRecord } from '../../records/image.js';
import type { Related } from '../../records/scene-graph.js';
import { FrequencyPrior } from '../../taggers/frequency-prior.js';

/**
 * Reads a set of scene graphs once and returns its sorted predicates and categories, and a frequency prior.
 *
 * @example
 * ```ts
 * import { Graph, sceneGraphLines } from 'relflow';
 * import { datasetNames } from 'relflow/evaluation';
 *
 * const records = new Graph('truth').from(sceneGraphLines({ sceneGraphs: 'test.jsonl' })).records();
 * const { predicates, categories, images } = await datasetNames(records);
 * console.log(predicates.length, categories.length, images);
 * ```
 */
export async function datasetNames(records: AsyncIterable<ImageRecord & Related>): Promise<DatasetNames> {
  const prior = new FrequencyPrior();
  const [predicates, categories] = [new Set<string>(), new Set<string>()];
  let images = 0;
  for await (const record of records) {
    prior.add(record);
    for (const { predicate } of record.relations) predicates.add(predicate);
    for (const { category } of record.detections) categories.add(category);
    images++;
  }
  return { predicates: [...predicates].sort(), categories: [...categories].sort(), prior, images };
}

/** The names that a set of scene graphs contains, and how often each predicate holds between which categories. */
export interface DatasetNames {
  readonly predicates: readonly string[];
  readonly categories: readonly string[];
  readonly prior: FrequencyPrior;
  readonly images: number;
}
