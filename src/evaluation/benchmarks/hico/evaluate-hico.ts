import { InputError } from '../../../errors.js';
import type { ImagePredictions } from '../../../records/predictions.js';
import type { HoiImage } from '../../../sources/hoi-file.js';
import { coco80Categories } from '../../../vocabulary/categories.js';
import { type HicoSetting, hicoInteractionName, hicoUnseen, hicoVerbs } from '../../../vocabulary/hico.js';
import { AnnotatedImages } from '../annotated-images.js';
import { type BenchmarkEvaluation, type BenchmarkReport, type EvaluationDetails, meanOf } from '../benchmark-report.js';
import { bootstrapMetrics } from '../bootstrap-metrics.js';
import {
  ARANGE_RECALLS,
  type ClassRanking,
  elevenPointAp,
  maxRecall,
  type PrecisionRecall,
  rankingOf,
} from '../class-ranking.js';
import { HighestMistakes } from '../highest-mistakes.js';
import { type MatchedObject, matchRelations, trueRelations } from '../match-relations.js';
import { suppressPairs } from '../pair-suppression.js';
import { pixelIou, strictPixelIou } from '../pixel-geometry.js';
import type { Predictions } from '../predictions-file.js';
import { topScores } from '../top-scores.js';
import { cocoNumbers, hicoVerbNumbers, interactionIndex, PERSON, tripletKey, tripletOf } from './hico-annotations.js';

/** Options of `evaluateHico`. */
export interface EvaluateHicoOptions extends EvaluationDetails {
  /** The test annotations, in the order of the file. */
  readonly images: readonly HoiImage[];
  /** The file of the annotations, for messages. */
  readonly file: string;
  /** Number of training interactions by class, see `countHicoTriplets`; without it, rare and non-rare are not reported. */
  readonly training?: ReadonlyMap<number, number>;
  /** Reports unseen and seen combinations of a zero-shot setting, or of a list of indices, instead of rare and non-rare. */
  readonly unseen?: HicoSetting | readonly number[];
  /** Applies pair suppression after the cut to the top 100. Default true, as in all official scripts. */
  readonly suppress?: boolean;
  /** Sets scores of combinations that are not among the 600 to 0 before the cut. Default true. */
  readonly mask?: boolean;
  /**
   * Counts for each class only images with an interaction with its object, as the original MATLAB evaluation's "Known Object"
   * setting does. RLIPv2 does not report it. Default false.
   */
  readonly knownObject?: boolean;
}

const TOP = 100;
/** MATLAB's `0:0.1:1`, which counts the upper half down from 1. */
const MATLAB_RECALLS = Array.from({ length: 11 }, (_, k) => (k <= 5 ? k * 0.1 : 1 - (10 - k) * 0.1));

/**
 * Computes HICO-DET's mAP as RLIPv2's evaluator does: validity mask, top 100 of an image, pair suppression, matching, 11-point
 * average precision of each class that the test annotations have.
 *
 * Source: RLIPv2 (commit 2adae60), datasets/hico_eval.py, `HICOEvaluator`. With `knownObject`: ho-rcnn, evaluation/eval_one.m,
 * mode `ko`, and VOCevaldet_bboxpair.m.
 *
 * @throws InputError if the predictions name unknown verbs, categories or images
 *
 * @example
 * ```ts
 * import { countHicoTriplets, evaluateHico, openPredictions, readHicoImages } from 'relflow/evaluation';
 *
 * const file = 'test_hico.json';
 * const training = await countHicoTriplets('trainval_hico.json');
 * const predictions = await openPredictions('predictions.jsonl');
 * const { report } = await evaluateHico(predictions, { images: await readHicoImages(file), file, training });
 * console.log(report.metrics['mAP'], report.metrics['mAP_rare']);
 * ```
 */
export async function evaluateHico(
  predictions: Predictions,
  { images, file, ...options }: EvaluateHicoOptions,
): Promise<BenchmarkEvaluation> {
  const evaluation = new Evaluation(predictions, images, options);
  return AnnotatedImages.byFile(file, images).evaluate(predictions, evaluation);
}

class Evaluation {
  readonly #images: readonly HoiImage[];
  readonly #options: Omit<EvaluateHicoOptions, 'images' | 'file'>;
  readonly #predictions: Predictions;
  readonly #verbs: readonly number[];
  readonly #categories: ReadonlyMap<string, number>;
  readonly #classes = new Map<number, ClassRanking>();
  readonly #valid = new Map<number, Uint8Array>();
  readonly #mistakes: HighestMistakes;
  /** Indices of the unseen combinations. */
  readonly #unseen: ReadonlySet<number | null> | null;
  readonly #counts = {
    pairs: 0,
    scored: 0,
    suppressed: 0,
    counted: 0,
    otherClasses: 0,
    otherObjects: 0,
    inEmptyImages: 0,
  };

  constructor(
    predictions: Predictions,
    images: readonly HoiImage[],
    options: Omit<EvaluateHicoOptions, 'images' | 'file'>,
  ) {
    const { file, header } = predictions;
    this.#predictions = predictions;
    this.#images = images;
    this.#options = options;
    this.#verbs = hicoVerbNumbers(file, header.predicates);
    this.#categories = cocoNumbers(file, header.objects);
    this.#mistakes = new HighestMistakes(options.mistakes ?? 0);
    const { unseen } = options;
    this.#unseen = unseen === undefined ? null : new Set(typeof unseen === 'string' ? hicoUnseen[unseen] : unseen);
    for (const [position, { objects, interactions }] of images.entries())
      for (const { subject, object, verb } of interactions) {
        const key = tripletKey(objects[subject]!.category, objects[object!]!.category, verb);
        rankingOf(this.#classes, key).addTruth(position);
      }
  }

  add(position: number, { objects: written, pairs, image: { file } }: ImagePredictions): void {
    const { suppress = true, knownObject = false } = this.#options;
    const { fused } = this.#predictions.header;
    const counts = this.#counts;
    const truth = this.#images[position]!;
    const objects = written.map(({ xyxy, category }) => ({ box: xyxy, category: this.#categories.get(category)! }));
    const ends = pairs.map(({ subject, object }) => {
      if (object === null)
        throw new InputError(
          this.#predictions.file,
          `image ${file}: a pair has no object, which HICO-DET does not allow`,
        );
      return { subject: objects[subject]!, object: objects[object]!, score: fused ? 1 : (written[object]!.score ?? 1) };
    });
    const scored = topScores(
      pairs.length,
      this.#verbs.length,
      (pair, row) => {
        const { object, score } = ends[pair]!;
        const { scores } = pairs[pair]!;
        const valid = this.#validVerbs(object.category);
        for (let k = 0; k < row.length; k++) row[k] = valid[k] === 1 ? scores[k]! * score : 0;
      },
      TOP,
    ).map(({ pair, predicate, score }) => {
      const { subject, object } = ends[pair]!;
      const verb = this.#verbs[predicate]!;
      const triplet = tripletKey(subject.category, object.category, verb);
      return { subject, object, predicate: verb, triplet, score };
    });
    counts.pairs += pairs.length;
    counts.scored += scored.length;
    const kept = suppress ? suppressPairs(scored) : scored;
    counts.suppressed += scored.length - kept.length;
    if (truth.objects.length === 0) {
      counts.inEmptyImages += kept.length;
      return;
    }
    const ranked = kept.sort((a, b) => b.score - a.score);
    const outcomes = matchRelations(ranked, trueRelations(truth), knownObject ? pixelIou : strictPixelIou);
    const known = new Set(knownObject ? truth.interactions.map(({ object }) => truth.objects[object!]!.category) : []);
    for (const [k, { triplet, subject, object, predicate, score }] of ranked.entries()) {
      const ranking = this.#classes.get(triplet);
      const outcome = outcomes[k]!;
      if (!ranking) counts.otherClasses++;
      else if (knownObject && !known.has(object.category)) counts.otherObjects++;
      else {
        counts.counted++;
        ranking.add(score, outcome === 'right', position);
        if (outcome === 'right') continue;
        this.#mistakes.add(score, () => ({
          image: truth.file,
          subject: named(subject),
          predicate: hicoVerbs[predicate - 1]!,
          object: named(object),
          score,
          reason: outcome,
        }));
      }
    }
  }

  /** Returns for each verb of the header whether its combination with an object is among the 600; all are without the mask. */
  #validVerbs(category: number): Uint8Array {
    const known = this.#valid.get(category);
    if (known) return known;
    const { mask = true } = this.#options;
    const made = Uint8Array.from(this.#verbs, (verb) =>
      mask && interactionIndex(tripletKey(PERSON, category, verb)) === null ? 0 : 1,
    );
    this.#valid.set(category, made);
    return made;
  }

  result(missing: number): BenchmarkEvaluation {
    const { resamples = 0 } = this.#options;
    const intervals = resamples > 0 && bootstrapMetrics(this.#images.length, resamples, (w) => this.#metrics(w));
    return {
      report: {
        benchmark: 'HICO-DET',
        evaluator: this.#options.knownObject ? MATLAB_EVALUATOR : EVALUATOR,
        protocol: this.#protocol(resamples),
        counts: this.#reportCounts(missing),
        metrics: this.#metrics(),
        ...(intervals && { intervals }),
        classes: [...this.#classes].map(([key, ranking]) => {
          const curve = ranking.curve();
          return {
            name: classNameOf(key),
            object_id: tripletOf(key).object,
            verb_id: tripletOf(key).verb,
            interaction: interactionIndex(key),
            set: this.#setOf(key),
            gt: ranking.positives,
            predictions: ranking.size,
            true_positives: ranking.found,
            ap: this.#ap(curve),
            max_recall: maxRecall(curve),
          };
        }),
      },
      curves: () =>
        [...this.#classes].map(([key, ranking]) => {
          const curve = ranking.curve();
          return { name: classNameOf(key), ap: this.#ap(curve), ...curve };
        }),
      mistakes: this.#mistakes.list(),
    };
  }

  #ap(curve: PrecisionRecall): number {
    return elevenPointAp(curve, this.#options.knownObject ? MATLAB_RECALLS : ARANGE_RECALLS);
  }

  #metrics(weights?: Uint16Array): Record<string, number | null> {
    const aps: { readonly key: number; readonly ap: number; readonly recall: number }[] = [];
    for (const [key, ranking] of this.#classes) {
      const curve = ranking.curve(weights);
      if (curve.positives > 0) aps.push({ key, ap: this.#ap(curve), recall: maxRecall(curve) });
    }
    const [of, others] = this.#sets();
    const meanIn = (set: string) => meanOf(aps.filter(({ key }) => this.#setOf(key) === set).map(({ ap }) => ap));
    return {
      mAP: meanOf(aps.map(({ ap }) => ap)),
      ...(of !== null && { [`mAP_${of.replace('-', '_')}`]: meanIn(of) }),
      ...(others !== null && { [`mAP_${others.replace('-', '_')}`]: meanIn(others) }),
      mean_max_recall: meanOf(aps.map(({ recall }) => recall)),
    };
  }

  /** Returns the names of the two sets of classes that are reported. */
  #sets(): readonly [string, string] | readonly [null, null] {
    if (this.#options.unseen !== undefined) return ['unseen', 'seen'];
    return this.#options.training ? ['rare', 'non-rare'] : [null, null];
  }

  #setOf(key: number): string | null {
    const { training, knownObject } = this.#options;
    if (this.#unseen) return this.#unseen.has(interactionIndex(key)) ? 'unseen' : 'seen';
    if (!training) return null;
    const count = training.get(key) ?? 0;
    if (count === 0 && !knownObject) return null;
    return count < RARE ? 'rare' : 'non-rare';
  }

  #protocol(resamples: number): BenchmarkReport['protocol'] {
    const { suppress = true, mask = true, knownObject = false, unseen, training } = this.#options;
    const setting = typeof unseen === 'string' ? unseen : unseen === undefined ? 'default' : 'given list';
    return {
      setting: knownObject ? `${setting}, known object` : setting,
      'validity mask': mask ? '600 combinations, before the cut' : 'off',
      'predictions of an image': `top ${TOP} of pairs × verbs`,
      'pair suppression': suppress ? 'IoU(subjects) · √IoU(objects) > 0.7, after the cut' : 'off',
      matching: 'IoU ≥ 0.5 of both boxes with the extra pixel; best candidate or wrong',
      'average precision': knownObject ? '11 points at 0:0.1:1' : '11 points at 0.1·k in floating point',
      classes: 'combinations that the test annotations have',
      sets: unseen
        ? 'unseen: left out of training by the setting; seen: the others'
        : training
          ? `rare: ${knownObject ? 'fewer than' : '1 to'} ${knownObject ? RARE : RARE - 1} training interactions; non-rare: ${RARE} or more`
          : 'none: no training annotations were given',
      'verbs asked for': this.#verbs.length,
      'object categories asked for': this.#categories.size,
      'scores fused in the file': this.#predictions.header.fused,
      ...(resamples > 0 && { intervals: `95 %, bootstrap over images, ${resamples} resamples` }),
    };
  }

  #reportCounts(missing: number): Record<string, number> {
    const { pairs, scored, suppressed, counted, otherClasses, otherObjects, inEmptyImages } = this.#counts;
    const keys = [...this.#classes.keys()];
    const [of, others] = this.#sets();
    return {
      images: this.#images.length,
      'images-without-boxes': this.#images.filter(({ objects }) => objects.length === 0).length,
      'images-without-interactions': this.#images.filter(({ interactions }) => interactions.length === 0).length,
      'images-without-predictions': missing,
      interactions: this.#images.reduce((sum, { interactions }) => sum + interactions.length, 0),
      classes: keys.length,
      ...(of !== null && {
        [`classes-${of}`]: keys.filter((key) => this.#setOf(key) === of).length,
        [`classes-${others}`]: keys.filter((key) => this.#setOf(key) === others).length,
        'classes-in-neither': keys.filter((key) => this.#setOf(key) === null).length,
      }),
      pairs,
      'predictions-in-top-100': scored,
      'predictions-suppressed': suppressed,
      'predictions-in-images-without-boxes': inEmptyImages,
      'predictions-of-other-classes': otherClasses,
      ...(this.#options.knownObject && { 'predictions-in-images-without-the-object': otherObjects }),
      'predictions-counted': counted,
    };
  }
}

const EVALUATOR = 'RLIPv2 datasets/hico_eval.py, HICOEvaluator (2adae60)';
const MATLAB_EVALUATOR =
  'ho-rcnn evaluation/eval_one.m, mode ko (4bf3ab0); not reported by RLIPv2, whose mask, cut and suppression apply';
/** Classes with fewer training interactions are rare. */
const RARE = 10;

const categoryNames = new Map(coco80Categories.map(({ id, name }) => [id, name]));

const named = ({ box, category }: MatchedObject) => ({ box, category: categoryNames.get(category) ?? `${category}` });

function classNameOf(key: number): string {
  const { subject, object, verb } = tripletOf(key);
  const name = hicoInteractionName({ verb, object });
  return subject === PERSON ? name : `${categoryNames.get(subject) ?? subject}: ${name}`;
}
