import type { RelationFinder } from '../../records/found-relation.js';
import type { ImageRecord } from '../../records/image.js';
import type { Related } from '../../records/scene-graph.js';
import { type RelationReport, RelationScores } from './relation-scores.js';

export interface EvaluateRelationsOptions {
  /** The K of the recalls; default 20, 50 and 100. */
  readonly cuts?: readonly number[];
  /** Whether training held a relation out: those have recalls of their own. */
  readonly unseen?: (subject: string, predicate: string, object: string) => boolean;
  readonly signal?: AbortSignal;
  readonly onImage?: (done: number) => void;
}

/** Asks a model for the relations of images and scores what it finds, objects included. */
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
