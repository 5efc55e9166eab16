import { OptionError } from '../errors.js';
import { digest } from '../files/digest.js';
import { memoize } from '../parser/language/memoize.js';
import type { Candidates } from '../records/candidate.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import { joinedWords } from '../vocabulary/category-names.js';
import { type ListedPredicate, normalPredicate } from '../vocabulary/predicate-list.js';
import { type AddedText, addTexts } from './add-texts.js';
import { nearbyPairs } from './nearby-pairs.js';
import { type Operator, operator } from './operator.js';
import { recordLabels } from './record-labels.js';

/** Options of `candidates`. */
export interface CandidatesOptions {
  /** The relation texts, most important first, each for all categories or for those that it fits: see `loadPredicates`. */
  readonly predicates: readonly (ListedPredicate | string)[];
  /** The maximum number of pairs of boxes of an image, each of them in both directions. Default 50. */
  readonly maxPairs?: number;
  /** The maximum number of pairs of one box. Default 8. */
  readonly pairsPerBox?: number;
}

/**
 * Adds candidate relations from a given list of predicates, for sets without captions: each predicate for each pair of boxes that
 * are close to each other, in both directions, if it fits the categories. Candidates of captions are kept, and their texts have
 * the source `predicates`. A tagger that sees decides which relations hold; the baseline only knows what captions say.
 *
 * Source: RLIPv2, its ablation with predicates counted in Visual Genome, which takes all pairs.
 *
 * @throws OptionError when there is no predicate or an option is out of range
 *
 * @example
 * ```ts
 * import { candidates, coco, Graph, loadPredicates, sceneGraphs, tag } from 'relflow';
 * import { rTagger } from 'relflow/model';
 *
 * new Graph('without-captions')
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(candidates({ predicates: loadPredicates('vg150-predicates.txt') }))
 *   .pipe(tag(rTagger({ weights: 'tagger.safetensors', images: 'images' })))
 *   .to(sceneGraphs());
 * ```
 */
export function candidates(
  options: CandidatesOptions,
): Operator<ImageRecord & Partial<Captioned & Candidates>, Captioned & Candidates> {
  const { maxPairs = 50, pairsPerBox = 8 } = options;
  checkPositiveInteger('candidates', 'maxPairs', maxPairs);
  checkPositiveInteger('candidates', 'pairsPerBox', pairsPerBox);
  if (options.predicates.length === 0)
    throw new OptionError('candidates', "'predicates' is empty, expected relation texts");
  const listed = options.predicates.map((one): ListedPredicate => {
    const { predicate, ...fits } = typeof one === 'string' ? { predicate: one } : one;
    return { predicate: normalPredicate(predicate), ...fits };
  });
  const keysOf = (names: readonly string[] | undefined) => names && new Set(names.map(joinedWords));
  const fitting = listed.map(({ predicate, subjects, objects }) => ({
    predicate,
    subjects: keysOf(subjects),
    objects: keysOf(objects),
  }));
  // The texts of two categories, by their names and labels.
  const textsOf = memoize(10_000, (key) => {
    const [subject, object] = (JSON.parse(key) as [string[], string[]]).map((names) => names.map(joinedWords));
    const fits = (keys: ReadonlySet<string> | undefined, names: readonly string[]) =>
      !keys || names.some((name) => keys.has(name));
    const texts = fitting.filter(({ subjects, objects }) => fits(subjects, subject!) && fits(objects, object!));
    return [...new Set(texts.map(({ predicate }) => predicate))];
  });
  return operator<ImageRecord & Partial<Captioned & Candidates>, Captioned & Candidates>({
    name: 'listed-candidates',
    version: '1',
    options: { predicates: listed.length, digest: digest(listed).slice(0, 12), maxPairs, pairsPerBox },
    needs: ['image', 'detections'],
    adds: ['captions', 'candidates'],
    apply: (record, context) => {
      const { image, detections, captions = [] } = record;
      const labels = recordLabels(record);
      const namesOf = (index: number) => [detections[index]!.category, labels.get(detections[index]!.category)!];
      const pairs = nearbyPairs(image, detections, { maxPairs, pairsPerBox });
      const ordered = pairs.flatMap(([first, second]) => [[first, second] as const, [second, first] as const]);
      const texts = ordered.flatMap(([subject, object]) =>
        textsOf(JSON.stringify([namesOf(subject), namesOf(object)])).map(
          (text): AddedText => ({ subject, object, text }),
        ),
      );
      const added = addTexts(record.candidates ?? [], texts, 'predicates');
      context.count('pairs', added.candidates.length);
      context.count('texts-from-predicates', added.count);
      if (added.candidates.length === 0) context.count('images-without-pair');
      return { captions, candidates: added.candidates };
    },
  });
}
