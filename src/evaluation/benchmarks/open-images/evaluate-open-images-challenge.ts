import type { Corners } from '../../../records/corners.js';
import type { ImagePredictions } from '../../../records/predictions.js';
import { type BenchmarkEvaluation, type BenchmarkReport, type EvaluationDetails, meanOf } from '../benchmark-report.js';
import { bootstrapMetrics } from '../bootstrap-metrics.js';
import { ClassRanking, envelopeAp } from '../class-ranking.js';
import { HighestMistakes } from '../highest-mistakes.js';
import { MIN_IOU } from '../match-relations.js';
import { pixelIou, unionBox } from '../pixel-geometry.js';
import type { Predictions } from '../predictions-file.js';
import { topScores } from '../top-scores.js';
import {
  annotatedImages,
  OpenImagesNames,
  type OpenImagesTruth,
  pairsOf,
  type TrueImage,
  trueImages,
} from './open-images-truth.js';

/** Options of `evaluateOpenImagesChallenge`. */
export interface EvaluateOpenImagesChallengeOptions extends EvaluationDetails {
  readonly truth: OpenImagesTruth;
}

const TOP = 100;
/** Predicates of a pair that count. */
const BEST_PREDICATES = 2;
/** Predictions with this score or less do not count. */
const LEAST_SCORE = 0.00001;

/** A prediction that counts. */
interface Prediction {
  readonly subject: TrueImage['objects'][number];
  readonly object: TrueImage['objects'][number];
  readonly predicate: number;
  readonly score: number;
}

type Relation = TrueImage['relations'][number];

/**
 * Computes the Open Images challenge's scores as PySGG does: recall over the data set, average precision of predicates for relations
 * and phrases, and their weighted sums.
 *
 * Source: PySGG (commit a63942a), pysgg/data/datasets/evaluation/oi/oi_evaluation.py and ap_eval_rel.py, from
 * ContrastiveLosses4VRD.
 *
 * @throws InputError if the predictions name an image that is not annotated
 */
export async function evaluateOpenImagesChallenge(
  predictions: Predictions,
  options: EvaluateOpenImagesChallengeOptions,
): Promise<BenchmarkEvaluation> {
  const evaluation = new Evaluation(predictions, options);
  return annotatedImages(options.truth).evaluate(predictions, evaluation);
}

class Evaluation {
  readonly #options: EvaluateOpenImagesChallengeOptions;
  readonly #predictions: Predictions;
  readonly #names: OpenImagesNames;
  readonly #images: readonly TrueImage[];
  /** Rankings of each predicate. */
  readonly #relations: readonly ClassRanking[];
  readonly #phrases: readonly ClassRanking[];
  readonly #mistakes: HighestMistakes;
  /** For each image that counts: its true relations, and those found among the first 50 and 100 predictions. */
  readonly #recalls = new Map<number, { readonly relations: number; found50: number; found100: number }>();
  readonly #counts = { pairs: 0, counted: 0, inLeftOut: 0 };

  constructor(predictions: Predictions, options: EvaluateOpenImagesChallengeOptions) {
    this.#options = options;
    this.#predictions = predictions;
    this.#names = new OpenImagesNames(options.truth, predictions);
    this.#images = trueImages(options.truth);
    this.#relations = options.truth.predicates.map(() => new ClassRanking());
    this.#phrases = options.truth.predicates.map(() => new ClassRanking());
    this.#mistakes = new HighestMistakes(options.mistakes ?? 0);
    for (const [position, { relations }] of this.#images.entries()) {
      if (relations.length === 0) continue;
      this.#recalls.set(position, { relations: relations.length, found50: 0, found100: 0 });
      for (const { predicate } of relations) {
        this.#relations[predicate]!.addTruth(position);
        this.#phrases[predicate]!.addTruth(position);
      }
    }
  }

  add(position: number, image: ImagePredictions): void {
    const { relations, file } = this.#images[position]!;
    const recall = this.#recalls.get(position);
    if (!recall) {
      this.#counts.inLeftOut++;
      return;
    }
    const predictions = this.#best(image);
    this.#counts.counted += predictions.length;
    const found = new Set<number>();
    for (const [rank, prediction] of predictions.entries()) {
      for (const [k, truth] of relations.entries())
        if (isSame(prediction, truth) && smallerIou(prediction, truth) >= MIN_IOU) found.add(k);
      if (rank === 49) recall.found50 = found.size;
    }
    recall.found100 = found.size;
    if (predictions.length < 50) recall.found50 = found.size;
    this.#rank(position, predictions, this.#phrases, (prediction, truth) =>
      pixelIou(phraseOf(prediction), phraseOf(truth)),
    );
    const outcomes = this.#rank(position, predictions, this.#relations, smallerIou);
    for (const [k, { subject, object, predicate, score }] of predictions.entries()) {
      const named = ({ box, category }: typeof subject) => ({ box, category: this.#names.objects[category]! });
      if (!outcomes[k])
        this.#mistakes.add(score, () => ({
          image: file,
          subject: named(subject),
          predicate: this.#names.predicates[predicate]!,
          object: named(object),
          score,
          reason: 'no-match',
        }));
    }
  }

  /** Returns the 100 best predictions of the two best predicates of each pair. */
  #best(image: ImagePredictions): Prediction[] {
    const pairs = pairsOf(this.#predictions, this.#names, image);
    this.#counts.pairs += pairs.length;
    const predicates = this.#predictions.header.predicates.map((name) => this.#names.predicate(name));
    const best = pairs.map(({ scores }) =>
      topScores(1, predicates.length, (_, row) => row.set(scores), BEST_PREDICATES),
    );
    const width = Math.min(BEST_PREDICATES, predicates.length);
    return topScores(
      pairs.length,
      width,
      (pair, row) => {
        const { subjectScore, objectScore } = pairs[pair]!;
        for (let k = 0; k < width; k++) row[k] = subjectScore * objectScore * best[pair]![k]!.score;
      },
      TOP,
    )
      .filter(({ score }) => score > LEAST_SCORE)
      .map(({ pair, predicate: k, score }) => {
        const { subject, object } = pairs[pair]!;
        return { subject, object, predicate: predicates[best[pair]![k]!.predicate]!, score };
      });
  }

  /** Adds the predictions of an image to the rankings of their predicates; returns whether each is right. */
  #rank(
    position: number,
    predictions: readonly Prediction[],
    rankings: readonly ClassRanking[],
    overlap: (prediction: Prediction, truth: Relation) => number,
  ): boolean[] {
    const { relations } = this.#images[position]!;
    const visited = new Set<number>();
    return predictions.map((prediction) => {
      let [best, candidate] = [0, -1];
      for (const [k, truth] of relations.entries()) {
        const of = isSame(prediction, truth) ? overlap(prediction, truth) : 0;
        if (of > best) [best, candidate] = [of, k];
      }
      const isRight = best > MIN_IOU && !visited.has(candidate);
      if (isRight) visited.add(candidate);
      rankings[prediction.predicate]?.add(prediction.score, isRight, position);
      return isRight;
    });
  }

  result(missing: number): BenchmarkEvaluation {
    const { resamples = 0, truth } = this.#options;
    const intervals = resamples > 0 && bootstrapMetrics(this.#images.length, resamples, (w) => this.#metrics(w));
    return {
      report: {
        benchmark: 'Open Images relations',
        evaluator: 'PySGG pysgg/data/datasets/evaluation/oi (a63942a), the challenge',
        protocol: this.#protocol(resamples),
        counts: this.#reportCounts(missing),
        metrics: this.#metrics(),
        ...(intervals && { intervals }),
        classes: truth.predicates.map((name, k) => ({
          name,
          gt: this.#relations[k]!.positives,
          ap_relation: envelopeAp(this.#relations[k]!.curve()),
          ap_phrase: envelopeAp(this.#phrases[k]!.curve()),
        })),
      },
      curves: () =>
        truth.predicates.map((name, k) => {
          const curve = this.#relations[k]!.curve();
          return { name, ap: envelopeAp(curve), ...curve };
        }),
      mistakes: this.#mistakes.list(),
    };
  }

  #metrics(weights?: Uint16Array): Record<string, number | null> {
    const summary = (rankings: readonly ClassRanking[]) => {
      const rows = rankings.map((ranking) => {
        const curve = ranking.curve(weights);
        return { ap: curve.positives > 0 ? envelopeAp(curve) : 0, positives: curve.positives };
      });
      const positives = rows.reduce((sum, row) => sum + row.positives, 0);
      return {
        mAP: meanOf(rows.map(({ ap }) => ap)) ?? 0,
        wmAP: rows.reduce((sum, row) => sum + (row.ap * row.positives) / Math.max(1, positives), 0),
      };
    };
    const images = [...this.#recalls].flatMap(([position, recall]) =>
      Array.from({ length: weights ? weights[position]! : 1 }, () => recall),
    );
    const all = images.reduce((sum, { relations }) => sum + relations, 0);
    const recall = (key: 'found50' | 'found100') =>
      all === 0 ? null : images.reduce((sum, image) => sum + image[key], 0) / all;
    const perImage = (key: 'found50' | 'found100') => meanOf(images.map((image) => image[key] / image.relations));
    const [relations, phrases, r50] = [summary(this.#relations), summary(this.#phrases), recall('found50')];
    return {
      w_final_score: r50 === null ? null : 0.4 * relations.wmAP + 0.2 * r50 + 0.4 * phrases.wmAP,
      final_score: r50 === null ? null : 0.4 * relations.mAP + 0.2 * r50 + 0.4 * phrases.mAP,
      R50: r50,
      R100: recall('found100'),
      mAP_rel: relations.mAP,
      wmAP_rel: relations.wmAP,
      mAP_phr: phrases.mAP,
      wmAP_phr: phrases.wmAP,
      per_image_R50: perImage('found50'),
      per_image_R100: perImage('found100'),
    };
  }

  #protocol(resamples: number): BenchmarkReport['protocol'] {
    const { header } = this.#predictions;
    return {
      score: 'subject × object × predicate',
      'predictions of an image': `top ${TOP} of the ${BEST_PREDICATES} best predicates of each pair, above ${LEAST_SCORE}`,
      suppression: 'off',
      images: 'those with relations',
      recall:
        'over the data set; all classes equal and IoU ≥ 0.5 of both boxes with the extra pixel; equal relations are found together',
      'average precision': 'area under the precision envelope, of predicates; right if IoU > 0.5',
      final_score: '0.4 · mAP_rel + 0.2 · R50 + 0.4 · mAP_phr; mAP over all predicates',
      w_final_score: '0.4 · wmAP_rel + 0.2 · R50 + 0.4 · wmAP_phr; weighted by the relations of a predicate',
      'object categories asked for': header.objects.length,
      'predicates asked for': header.predicates.length,
      'scores fused in the file': header.fused,
      ...(resamples > 0 && { intervals: `95 %, bootstrap over images, ${resamples} resamples` }),
    };
  }

  #reportCounts(missing: number): Record<string, number> {
    return {
      images: this.#images.length,
      'images-without-relations-left-out': this.#images.length - this.#recalls.size,
      'images-without-predictions': missing,
      relations: this.#images.reduce((sum, { relations }) => sum + relations.length, 0),
      predicates: this.#options.truth.predicates.length,
      'predicates-without-relations': this.#relations.filter(({ positives }) => positives === 0).length,
      pairs: this.#counts.pairs,
      'predictions-counted': this.#counts.counted,
      'predicted-images-left-out': this.#counts.inLeftOut,
    };
  }
}

const isSame = (prediction: Prediction, truth: Relation) =>
  prediction.predicate === truth.predicate &&
  prediction.subject.category === truth.subject.category &&
  prediction.object.category === truth.object.category;

const smallerIou = (prediction: Prediction, truth: Relation) =>
  Math.min(pixelIou(prediction.subject.box, truth.subject.box), pixelIou(prediction.object.box, truth.object.box));

const phraseOf = ({ subject, object }: Pick<Prediction, 'subject' | 'object'>): Corners =>
  unionBox(subject.box, object.box);
