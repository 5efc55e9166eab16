import { boxOfCorners, type Corners } from '../../records/corners.js';
import type { FoundObject, FoundRelation, RelationFinder } from '../../records/found-relation.js';
import { checkPositiveInteger } from '../../records/option-checks.js';
import { openPairPredictor, type PairPredictorOptions } from './pair-predictor.js';

/** Options of `openRelationFinder`. */
export interface RelationFinderOptions extends PairPredictorOptions {
  /** Maximum number of relations per image, the most likely ones. Default 100. */
  readonly maxRelations?: number;
}

/**
 * Opens RLIPv2-ParSeD or ParSeDA as a finder of relations with the given categories and predicates.
 *
 * The score of a relation is the probability of the predicate times the probabilities of the best categories of subject and
 * object.
 *
 * @throws OptionError if an option is out of range
 * @throws InputError if the weights or the tokenizer cannot be read
 * @throws RelflowError (`bad-weights`) if the weights do not fit the model
 *
 * Source: RLIPv2, models/hoi.py, the post-processing for scene graphs.
 *
 * @example
 * ```ts
 * import { openRelationFinder } from 'relflow/model';
 *
 * const finder = await openRelationFinder({
 *   weights: 'parseda.safetensors',
 *   images: 'images',
 *   categories: ['person', 'dog', 'ball'],
 *   predicates: ['holding', 'next to'],
 *   tokenizer: 'roberta-base',
 * });
 * const image = { id: 1, file: '000001.jpg', width: 640, height: 480, dataset: 'coco', split: 'val2017' };
 * for (const { subject, predicate, object, score } of await finder.find(image, new AbortController().signal))
 *   console.log(subject.category, predicate, object.category, score.toFixed(2));
 * finder.dispose();
 * ```
 */
export async function openRelationFinder(
  options: RelationFinderOptions,
): Promise<RelationFinder & { dispose(): void }> {
  const { predicates, maxRelations = 100 } = options;
  checkPositiveInteger('relationFinder', 'maxRelations', maxRelations);
  const predictor = await openPairPredictor('relationFinder', options);
  return {
    name: 'rlip',
    version: '1',
    dispose: () => predictor.dispose(),
    async find(image, signal) {
      const { objects, pairs } = await predictor.predict(image, 'scene-graph', signal);
      const found = pairs.flatMap(({ subject, object, scores }): FoundRelation[] => {
        if (object === null) return [];
        const [from, to] = [objects[subject]!, objects[object]!];
        return scores.map((score, k) => ({
          subject: foundObject(from),
          predicate: predicates[k]!,
          object: foundObject(to),
          score: score * from.score! * to.score!,
        }));
      });
      return found.sort((a, b) => b.score - a.score).slice(0, maxRelations);
    },
  };
}

const foundObject = ({ category, xyxy }: { readonly category: string; readonly xyxy: Corners }): FoundObject => ({
  category,
  box: boxOfCorners(xyxy),
});
