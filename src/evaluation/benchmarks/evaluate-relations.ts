import type { RelationFinder } from '../../records/found-relation.js';
import type { ImageRecord } from '../../records/image.js';
import type { Related } from '../../records/scene-graph.js';
import { type RelationReport, RelationScores } from './relation-scores.js';

/** Options of `evaluateRelations`. */
export interface EvaluateRelationsOptions {
  /** Values of K for the recalls; default 20, 50 and 100. */
  readonly cuts?: readonly number[];
  /** Returns whether a relation was held out of training; such relations get a separate recall. Default: none. */
  readonly unseen?: (subject: string, predicate: string, object: string) => boolean;
  readonly signal?: AbortSignal;
  /** Called after each image with the number of images scored so far. */
  readonly onImage?: (done: number) => void;
}

/**
 * Scores a model on own data: it finds the relations of each image, including their objects. The numbers are none of the official
 * measures, see `RelationScores`.
 *
 * @throws the reason of `signal` when the finder stops because of it
 *
 * @example
 * ```ts
 * import { Graph, sceneGraphLines } from 'relflow';
 * import { datasetNames, evaluateRelations } from 'relflow/evaluation';
 * import { openRelationFinder } from 'relflow/model';
 *
 * const records = () => new Graph('truth').from(sceneGraphLines({ sceneGraphs: 'test.jsonl' })).records();
 * const { categories, predicates } = await datasetNames(records());
 * const finder = await openRelationFinder({ weights: 'rlip.safetensors', images: 'images', categories, predicates });
 * const report = await evaluateRelations(records(), finder);
 * console.log(report.recall[50]);
 * ```
 */
export async function evaluateRelations(
  records: AsyncIterable<ImageRecord & Related>,
  finder: RelationFinder,
  { cuts, unseen, signal = new AbortController().signal, onImage }: EvaluateRelationsOptions = {},
): Promise<RelationReport> {
  const scores = new RelationScores(cuts, unseen);
  let done = 0;
  for await (const record of records) {
    scores.add(record, await finder.find(record.image, signal));
    onImage?.(++done);
  }
  return scores.result();
}
