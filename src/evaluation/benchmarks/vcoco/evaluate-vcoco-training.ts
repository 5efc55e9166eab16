import { InputError } from '../../../errors.js';
import type { ImagePredictions } from '../../../records/predictions.js';
import type { HoiImage } from '../../../sources/hoi-file.js';
import { coco80Categories } from '../../../vocabulary/categories.js';
import { AnnotatedImages } from '../annotated-images.js';
import { type BenchmarkEvaluation, type BenchmarkReport, type EvaluationDetails, meanOf } from '../benchmark-report.js';
import { bootstrapMetrics } from '../bootstrap-metrics.js';
import { ClassRanking, elevenPointAp, maxRecall } from '../class-ranking.js';
import { cocoNumbers } from '../hico/hico-annotations.js';
import { HighestMistakes } from '../highest-mistakes.js';
import { matchRelations, trueRelations } from '../match-relations.js';
import { strictPixelIou } from '../pixel-geometry.js';
import type { Predictions } from '../predictions-file.js';
import { topScores } from '../top-scores.js';
import { placesOfVerbs, VCOCO_VERBS } from './vcoco-verbs.js';

/** Options of `evaluateVcocoTraining`. */
export interface EvaluateVcocoTrainingOptions extends EvaluationDetails {
  /** The converted annotations, `test_vcoco.json`. */
  readonly images: readonly HoiImage[];
  /** The file of the annotations, for messages. */
  readonly file: string;
  /**
   * The combinations of verb and object that are possible, 29 × 80 of 0 and 1 in RLIPv2's order (`corre_vcoco.npy`); a pair
   * without an object is possible with each verb. Default: all combinations are.
   */
  readonly prior?: readonly (readonly number[])[];
}

const TOP = 100;
/** What papers leave out: the actions without a role, and point. */
const NOT_IN_THESIS = ['stand', 'walk', 'run', 'smile', 'point_instr'];
/** The label of a missing object. */
const MISSING = -1;

/**
 * Computes what RLIPv2 prints for V-COCO while it trains: 11-point average precision of the 29 verbs, after the mask and the cut
 * to the top 100 of an image, without suppression. It is not V-COCO's official measure, which `evaluateVcoco` computes.
 *
 * Source: RLIPv2 (commit 2adae60), datasets/vcoco_eval.py.
 *
 * @throws InputError if the predictions lack a verb, or name an unknown category or an image that is not annotated
 */
export async function evaluateVcocoTraining(
  predictions: Predictions,
  { images, file, ...options }: EvaluateVcocoTrainingOptions,
): Promise<BenchmarkEvaluation> {
  const evaluation = new Evaluation(predictions, images, options);
  return AnnotatedImages.byFile(file, images).evaluate(predictions, evaluation);
}

class Evaluation {
  readonly #images: readonly HoiImage[];
  readonly #options: Omit<EvaluateVcocoTrainingOptions, 'images' | 'file'>;
  readonly #fused: boolean;
  readonly #places: readonly number[];
  readonly #categories: ReadonlyMap<string, number>;
  readonly #classes = VCOCO_VERBS.map(() => new ClassRanking());
  readonly #mistakes: HighestMistakes;
  /** Images with boxes whose predictions were added. */
  readonly #scored = new Set<number>();
  readonly #counts = { pairs: 0, scored: 0 };

  constructor(
    { file, header }: Predictions,
    images: readonly HoiImage[],
    options: Omit<EvaluateVcocoTrainingOptions, 'images' | 'file'>,
  ) {
    this.#images = images;
    this.#options = options;
    this.#fused = header.fused;
    this.#places = placesOfVerbs(file, VCOCO_VERBS, header.predicates);
    this.#categories = cocoNumbers(
      file,
      header.objects.filter((name) => !MISSING_NAMES.includes(name)),
    );
    this.#mistakes = new HighestMistakes(options.mistakes ?? 0);
    for (const { file: name, interactions } of images)
      for (const { verb } of interactions)
        if (!(verb in VCOCO_VERBS))
          throw new InputError(file, `image ${name}: the verb ${verb} is not one of V-COCO's, expected 0 to 28`);
  }

  add(position: number, { objects, pairs }: ImagePredictions): void {
    const truth = this.#images[position]!;
    // The official code fails on images with boxes and without predictions, so that these are left out with their truth.
    if (truth.objects.length > 0 && pairs.length === 0) return;
    this.#scored.add(position);
    for (const { verb } of truth.interactions) this.#classes[verb]!.addTruth(position);
    const ends = pairs.map(({ subject, object }) => ({
      subject: this.#object(objects[subject]!),
      object: object === null ? null : this.#object(objects[object]!),
      score: this.#fused || object === null ? 1 : (objects[object]!.score ?? 1),
    }));
    const scored = topScores(
      pairs.length,
      this.#places.length,
      (pair, row) => {
        const { object, score } = ends[pair]!;
        const { scores } = pairs[pair]!;
        for (const [verb, place] of this.#places.entries())
          row[verb] = this.#isPossible(verb, object?.category ?? MISSING) ? scores[place]! * score : 0;
      },
      TOP,
    ).map(({ pair, predicate, score }) => ({ ...ends[pair]!, predicate, score, pair: pairs[pair]! }));
    this.#counts.pairs += pairs.length;
    this.#counts.scored += scored.length;
    const outcomes = matchRelations(scored, trueRelations(truth), strictPixelIou);
    for (const [k, { predicate, score, pair }] of scored.entries()) {
      const outcome = outcomes[k]!;
      this.#classes[predicate]!.add(score, outcome === 'right', position);
      if (outcome === 'right') continue;
      const named = (index: number) => ({ box: objects[index]!.xyxy, category: objects[index]!.category });
      this.#mistakes.add(score, () => ({
        image: truth.file,
        subject: named(pair.subject),
        predicate: VCOCO_VERBS[predicate]!,
        object: pair.object === null ? null : named(pair.object),
        score,
        reason: outcome,
      }));
    }
  }

  #object({ xyxy, category }: ImagePredictions['objects'][number]) {
    return { box: xyxy, category: this.#categories.get(category) ?? MISSING };
  }

  #isPossible(verb: number, category: number): boolean {
    const { prior } = this.#options;
    return !prior || category === MISSING || prior[verb]![columns.get(category)!] === 1;
  }

  result(missing: number): BenchmarkEvaluation {
    const { resamples = 0, prior } = this.#options;
    const intervals = resamples > 0 && bootstrapMetrics(this.#images.length, resamples, (w) => this.#metrics(w));
    const rows = this.#classes.map((ranking, verb) => ({ name: VCOCO_VERBS[verb]!, ranking, curve: ranking.curve() }));
    return {
      report: {
        benchmark: 'V-COCO, training-time',
        evaluator: 'RLIPv2 datasets/vcoco_eval.py (2adae60); not the official measure',
        protocol: {
          'validity mask': prior ? 'given, before the cut' : 'off',
          'predictions of an image': `top ${TOP} of pairs × verbs`,
          'pair suppression': 'off',
          matching: 'IoU ≥ 0.5 of both boxes with the extra pixel; best candidate or wrong',
          'average precision': '11 points at 0.1·k in floating point',
          mAP_thesis: '24 verbs, without stand, walk, run, smile and point',
          'scores fused in the file': this.#fused,
          ...(resamples > 0 && { intervals: `95 %, bootstrap over images, ${resamples} resamples` }),
        },
        counts: this.#reportCounts(missing),
        metrics: this.#metrics(),
        ...(intervals && { intervals }),
        classes: rows
          .filter(({ ranking }) => ranking.positives > 0)
          .map(({ name, ranking, curve }) => ({
            name,
            gt: ranking.positives,
            predictions: ranking.size,
            true_positives: ranking.found,
            ap: elevenPointAp(curve),
            max_recall: maxRecall(curve),
          })),
      },
      curves: () => rows.map(({ name, curve }) => ({ name, ap: elevenPointAp(curve), ...curve })),
      mistakes: this.#mistakes.list(),
    };
  }

  #metrics(weights?: Uint16Array): Record<string, number | null> {
    const aps = this.#classes.map((ranking) => {
      const curve = ranking.curve(weights);
      return { hasTruth: curve.positives > 0, ap: curve.positives > 0 ? elevenPointAp(curve) : 0 };
    });
    return {
      mAP_all: meanOf(aps.filter(({ hasTruth }) => hasTruth).map(({ ap }) => ap)),
      mAP_thesis: meanOf(aps.filter((_, verb) => !NOT_IN_THESIS.includes(VCOCO_VERBS[verb]!)).map(({ ap }) => ap)),
    };
  }

  #reportCounts(missing: number): BenchmarkReport['counts'] {
    const leftOut = this.#images.filter(({ objects }, k) => objects.length > 0 && !this.#scored.has(k)).length;
    return {
      images: this.#images.length,
      'images-without-boxes': this.#images.filter(({ objects }) => objects.length === 0).length,
      'images-without-predictions': missing,
      'images-with-boxes-and-without-predictions-left-out': leftOut,
      interactions: this.#classes.reduce((sum, ranking) => sum + ranking.positives, 0),
      pairs: this.#counts.pairs,
      'predictions-counted': this.#counts.scored,
    };
  }
}

/** The names of the category of missing objects. */
const MISSING_NAMES = ['missing objects', 'missing object', 'missing'];

/** COCO's category id → the place among its 80 categories. */
const columns = new Map(coco80Categories.map(({ id }, k) => [id, k]));
