import type { ImagePredictions } from '../../records/predictions.js';
import { topScores } from '../benchmarks/top-scores.js';

type Found = Pick<ImagePredictions, 'objects' | 'pairs'>;

/**
 * Sets all but an image's highest scores to 0, as evaluators rank them: multiplied by the scores of both objects unless they are
 * fused. Among equal scores the earlier one stays.
 */
export function keepTopScores({ objects, pairs }: Found, predicates: number, most: number, fused: boolean): Found {
  const factors = pairs.map(({ subject, object }) =>
    fused ? 1 : (objects[subject]!.score ?? 1) * (object === null ? 1 : (objects[object]!.score ?? 1)),
  );
  const kept = pairs.map(() => new Array<number>(predicates).fill(0));
  const scoresOf = (pair: number, into: Float64Array) => {
    for (const [k, score] of pairs[pair]!.scores.entries()) into[k] = score * factors[pair]!;
  };
  for (const { pair, predicate } of topScores(pairs.length, predicates, scoresOf, most))
    kept[pair]![predicate] = pairs[pair]!.scores[predicate]!;
  return { objects, pairs: pairs.map((pair, k) => ({ ...pair, scores: kept[k]! })) };
}
