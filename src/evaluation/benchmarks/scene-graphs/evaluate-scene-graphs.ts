import { InputError } from '../../../errors.js';
import type { ImagePredictions } from '../../../records/predictions.js';
import { AnnotatedImages } from '../annotated-images.js';
import type { BenchmarkEvaluation, BenchmarkReport, EvaluationDetails } from '../benchmark-report.js';
import { bootstrapMetrics } from '../bootstrap-metrics.js';
import { HighestMistakes } from '../highest-mistakes.js';
import type { Predictions } from '../predictions-file.js';
import { topScores } from '../top-scores.js';
import { DetectionAp } from './detection-ap.js';
import { CUTS, GraphRecalls, type ImageRanks } from './graph-recalls.js';
import type { GraphImage, GraphTruth } from './graph-truth.js';
import { firstRanks, type PredictedTriplet } from './match-triplets.js';

/** What is given: boxes and labels, boxes alone, or nothing. */
export const GRAPH_MODES = ['predcls', 'sgcls', 'sgdet'] as const;

/** What is given to the model: boxes and labels (`predcls`), boxes (`sgcls`), or nothing (`sgdet`). */
export type GraphMode = (typeof GRAPH_MODES)[number];

/** Options of `evaluateSceneGraphs`. */
export interface EvaluateSceneGraphsOptions extends EvaluationDetails {
  readonly truth: GraphTruth;
  readonly mode: GraphMode;
}

const TOP = 100;

/**
 * Computes the recalls of scene-graph generation as Scene-Graph-Benchmark.pytorch does: R@K, mean recall, zero-shot recall, each
 * with and without the constraint of one predicate for each pair, and the accuracy of true pairs.
 *
 * Source: Scene-Graph-Benchmark.pytorch (commit 6f75881), maskrcnn_benchmark/data/datasets/evaluation/vg/vg_eval.py and sgg_eval.py.
 *
 * @throws InputError if the predictions name an image that is not annotated, lack scores of predicates alone, or do not have the
 * annotated objects in `predcls` or `sgcls`
 *
 * @example
 * ```ts
 * import { evaluateSceneGraphs, openPredictions, readVg150Truth } from 'relflow/evaluation';
 *
 * const truth = await readVg150Truth({
 *   graphs: 'VG-SGG-with-attri.h5',
 *   dicts: 'VG-SGG-dicts-with-attri.json',
 *   imageData: 'image_data.json',
 * });
 * const predictions = await openPredictions('predictions.jsonl');
 * const { report } = await evaluateSceneGraphs(predictions, { truth, mode: 'sgdet' });
 * console.log(report.metrics['R@50'], report.metrics['mR@50']);
 * ```
 */
export async function evaluateSceneGraphs(
  predictions: Predictions,
  options: EvaluateSceneGraphsOptions,
): Promise<BenchmarkEvaluation> {
  const { file, images } = options.truth;
  if (predictions.header.fused)
    throw new InputError(
      predictions.file,
      'line 1: fused is true, but scene graphs are ranked by predicates and objects separately, expected false',
    );
  const evaluation = new Evaluation(predictions, options);
  const ids = new Map(images.flatMap((image) => (image.file === null ? [] : [[image.file, image.id] as const])));
  const annotated = new AnnotatedImages(
    file,
    images.map(({ id }) => id),
    (image) =>
      image.id !== undefined
        ? `${image.id}`
        : image.file === undefined
          ? undefined
          : (ids.get(image.file) ?? image.file),
    'its id',
  );
  return annotated.evaluate(predictions, evaluation);
}

class Evaluation {
  readonly #predictions: Predictions;
  readonly #truth: GraphTruth;
  readonly #options: EvaluateSceneGraphsOptions;
  readonly #labels: ReadonlyMap<string, number>;
  /** The number of each predicate of the header. */
  readonly #predicates: readonly number[];
  readonly #ranks: ImageRanks[] = [];
  readonly #detection = new DetectionAp();
  readonly #mistakes: HighestMistakes;
  readonly #seen = new Set<number>();
  #pairs = 0;

  constructor(predictions: Predictions, options: EvaluateSceneGraphsOptions) {
    this.#predictions = predictions;
    this.#options = options;
    this.#truth = options.truth;
    const numbers = (names: readonly string[], more: readonly string[]) =>
      new Map([...new Set([...names, ...more])].map((name, k) => [name, k]));
    const { header } = predictions;
    this.#labels = numbers(options.truth.objects, header.objects);
    const predicates = numbers(options.truth.predicates, header.predicates);
    this.#predicates = header.predicates.map((name) => predicates.get(name)!);
    this.#mistakes = new HighestMistakes(options.mistakes ?? 0);
  }

  add(position: number, image: ImagePredictions): void {
    const truth = this.#truth.images[position]!;
    this.#seen.add(position);
    const { objects, scores } = this.#objects(truth, image);
    this.#detection.add(
      truth.objects,
      objects.map((object, k) => ({ ...object, score: scores[k]! })),
      position === 0,
    );
    const pairs = image.pairs.map(({ subject, object, scores: of }) => {
      if (object === null || subject >= objects.length || object >= objects.length)
        this.#fail(
          image,
          `a pair is of the objects ${subject} and ${object}, expected indices below ${objects.length}`,
        );
      return { subject, object, scores: of };
    });
    this.#pairs += pairs.length;
    if (pairs.length === 0) return;
    const best = pairs.map(({ subject, object, scores: of }) => {
      let place = 0;
      for (let k = 1; k < of.length; k++) if (of[k]! > of[place]!) place = k;
      const score = of[place]! * scores[subject]! * scores[object]!;
      return { subject, object, predicate: this.#predicates[place]!, score };
    });
    const free = topScores(
      pairs.length,
      this.#predicates.length,
      (pair, row) => {
        const { subject, object, scores: of } = pairs[pair]!;
        const both = scores[subject]! * scores[object]!;
        for (let k = 0; k < row.length; k++) row[k] = both * of[k]!;
      },
      TOP,
    ).map(({ pair, predicate }) => ({ ...pairs[pair]!, predicate: this.#predicates[predicate]! }));
    const truePairs = new Set(truth.relations.map(({ subject, object }) => `${subject} ${object}`));
    const ofPairs = best.filter(({ subject, object }) => truePairs.has(`${subject} ${object}`));
    const { extraPixel = true } = this.#truth;
    const ranksOf = (triplets: readonly PredictedTriplet[]) => firstRanks(triplets, objects, truth, extraPixel);
    this.#ranks.push({
      position,
      constrained: ranksOf(best.slice(0, TOP)),
      unconstrained: ranksOf(free),
      ofPairs: this.#options.mode === 'sgdet' ? null : ranksOf(ofPairs.slice(0, TOP)),
    });
    this.#addMistakes(truth, best.slice(0, TOP), objects);
  }

  /** Returns the objects that count: the true ones for `predcls`, with scores 1. */
  #objects(truth: GraphImage, image: ImagePredictions): { objects: GraphImage['objects']; scores: readonly number[] } {
    const { mode } = this.#options;
    if (mode === 'predcls') return { objects: truth.objects, scores: truth.objects.map(() => 1) };
    if (mode === 'sgcls' && image.objects.length !== truth.objects.length)
      this.#fail(image, `has ${image.objects.length} objects, expected the ${truth.objects.length} that are annotated`);
    return {
      objects: image.objects.map(({ xyxy, category }) => ({ box: xyxy, label: this.#labels.get(category)! })),
      scores: image.objects.map(({ score }) => score ?? 1),
    };
  }

  #addMistakes(
    truth: GraphImage,
    best: readonly (PredictedTriplet & { readonly score: number })[],
    objects: GraphImage['objects'],
  ): void {
    if ((this.#options.mistakes ?? 0) === 0) return;
    const names = [...this.#labels.keys()];
    const named = (k: number) => ({ box: objects[k]!.box, category: names[objects[k]!.label]! });
    for (const triplet of best) {
      const { subject, object, predicate, score } = triplet;
      if (firstRanks([triplet], objects, truth, this.#truth.extraPixel ?? true).some(Number.isFinite)) continue;
      this.#mistakes.add(score, () => ({
        image: truth.file ?? truth.id,
        subject: named(subject),
        predicate: this.#truth.predicates[predicate] ?? `predicate ${predicate}`,
        object: named(object),
        score,
        reason: 'no-match',
      }));
    }
  }

  #fail(image: ImagePredictions, problem: string): never {
    throw new InputError(this.#predictions.file, `image ${JSON.stringify(image.image)}: ${problem}`);
  }

  result(missing: number): BenchmarkEvaluation {
    const { resamples = 0 } = this.#options;
    const { images } = this.#truth;
    // Images without a line have no detections, but their true boxes count.
    for (const [position, { objects }] of images.entries())
      if (!this.#seen.has(position)) this.#detection.add(objects, [], position === 0);
    this.#ranks.sort((a, b) => a.position - b.position);
    const recalls = new GraphRecalls(this.#truth, this.#ranks, this.#options.mode !== 'sgdet');
    const intervals = resamples > 0 && bootstrapMetrics(images.length, resamples, (w) => recalls.metrics(w));
    return {
      report: {
        benchmark: 'Scene graphs',
        evaluator:
          this.#truth.extraPixel === false
            ? 'OpenPSG recall on boxes (34b2a89): that of Scene-Graph-Benchmark.pytorch without the extra pixel'
            : 'Scene-Graph-Benchmark.pytorch vg_eval.py and sgg_eval.py (6f75881)',
        protocol: this.#protocol(resamples),
        counts: this.#reportCounts(missing, recalls),
        metrics: { ...recalls.metrics(), mAP50: this.#detection.result() },
        ...(intervals && { intervals }),
        classes: recalls.classes(),
        images: recalls.images(),
      },
      curves: () => [],
      mistakes: this.#mistakes.list(),
    };
  }

  #protocol(resamples: number): BenchmarkReport['protocol'] {
    const { mode } = this.#options;
    const { header } = this.#predictions;
    const given = { predcls: 'true boxes and labels', sgcls: 'true boxes', sgdet: 'nothing' }[mode];
    return {
      mode,
      given,
      K: CUTS.join(', '),
      'with the constraint': 'R, mR, zR: the best predicate of each pair, in the order of the file',
      'without the constraint': `ngR, ng-mR, ng-zR: the ${TOP} best of pairs × predicates by subject × object × predicate score`,
      matching: `all three names equal, IoU ≥ 0.5 of both boxes ${this.#truth.extraPixel === false ? 'without' : 'with'} the extra pixel; a prediction finds every relation that fits`,
      recall: 'mean over images with relations and predictions',
      'mean recall': 'for each predicate the mean over images that have it, then the mean over all predicates',
      'zero-shot recall':
        this.#truth.zeroShot === null ? 'off: no training graphs' : 'triplets that no training image has',
      ...(mode !== 'sgdet' && { accuracy: 'A: predictions of true pairs alone, found by true, over the data set' }),
      'object categories asked for': header.objects.length,
      'predicates asked for': header.predicates.length,
      ...(resamples > 0 && { intervals: `95 %, bootstrap over images, ${resamples} resamples` }),
    };
  }

  #reportCounts(missing: number, recalls: GraphRecalls): Record<string, number> {
    const { images, withoutRelations, zeroShot } = this.#truth;
    return {
      images: images.length,
      'images-without-relations-left-out': withoutRelations,
      'images-without-predictions': missing,
      'images-without-predicted-pairs-left-out': images.length - this.#ranks.length,
      'images-counted': this.#ranks.length,
      ...(zeroShot !== null && {
        'images-with-zero-shot-relations': recalls.zeroShotImages,
        'zero-shot-triplets': zeroShot.size,
      }),
      relations: images.reduce((sum, { relations }) => sum + relations.length, 0),
      predicates: this.#truth.predicates.length,
      pairs: this.#pairs,
    };
  }
}
