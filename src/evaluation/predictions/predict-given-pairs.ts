import { cornersOf } from '../../records/corners.js';
import type { ImageRecord } from '../../records/image.js';
import type { RelationTagger } from '../../records/ports.js';
import type { ImagePredictions } from '../../records/predictions.js';
import { scoredPairs } from '../predicates/evaluate-predicates.js';

/**
 * Predicts the predicates of all ordered pairs of an image's true objects (predicate classification), in falling order of
 * each pair's best score.
 *
 * @throws as `scoredPairs`
 */
export async function predictGivenPairs(
  { image, detections, origin }: ImageRecord,
  tagger: RelationTagger,
  predicates: readonly string[],
  signal: AbortSignal,
): Promise<Pick<ImagePredictions, 'objects' | 'pairs'>> {
  const record = { image, detections, origin, relations: [], tagger: null };
  const { scores } = await scoredPairs(record, detections, tagger, predicates, signal);
  const pairs = detections.flatMap((_, subject) =>
    detections.flatMap((__, object) => (subject === object ? [] : [{ subject, object }])),
  );
  const scored = pairs.map((pair, row) => {
    const own = [...scores.subarray(row * predicates.length, (row + 1) * predicates.length)];
    return { pair: { ...pair, scores: own }, best: own.reduce((most, score) => Math.max(most, score), 0) };
  });
  scored.sort((a, b) => b.best - a.best);
  return {
    objects: detections.map(({ box, category }) => ({ xyxy: cornersOf(box), category })),
    pairs: scored.map(({ pair }) => pair),
  };
}
