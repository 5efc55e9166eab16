import type { ImagePredictions } from '../../../records/predictions.js';
import { type BenchmarkEvaluation, type BenchmarkReport, type EvaluationDetails, meanOf } from '../benchmark-report.js';
import { bootstrapMetrics } from '../bootstrap-metrics.js';
import { ClassRanking, elevenPointAp, maxRecall } from '../class-ranking.js';
import { HighestMistakes } from '../highest-mistakes.js';
import { matchRelations } from '../match-relations.js';
import { suppressPairs, suppressPhrases } from '../pair-suppression.js';
import { strictPixelIou, unionBox } from '../pixel-geometry.js';
import type { Predictions } from '../predictions-file.js';
import { topScores } from '../top-scores.js';
import { matchPhrases } from './match-phrases.js';
import {
  annotatedImages,
  OpenImagesNames,
  type OpenImagesTruth,
  pairsOf,
  type TrueImage,
  trueImages,
} from './open-images-truth.js';

/** Options of `evaluateOpenImages`. */
export interface EvaluateOpenImagesOptions extends EvaluationDetails {
  readonly truth: OpenImagesTruth;
  /** Applies suppression of pairs and of phrases. Default true, as in the official script. */
  readonly suppress?: boolean;
  /** Looks up the overlaps of phrases as RLIPv2 does, by mistake; its published numbers have the mistake. Default false. */
  readonly compat?: boolean;
}

/** The rankings of a triplet class: relations of the runs with 100 and 50 predictions of an image, and phrases. */
interface Rankings {
  readonly relations100: ClassRanking;
  readonly relations50: ClassRanking;
  readonly phrases: ClassRanking;
}

/**
 * Computes RLIPv2's score on Open Images' relations: 0.2 · recall at 50 + 0.4 · weighted mAP of relations + 0.4 · weighted mAP of
 * phrases, with 11-point average precision of each triplet class that the test annotations have.
 *
 * Source: RLIPv2 (commit 2adae60), datasets/oi_sgg_eval.py, `OISGGEvaluator`.
 *
 * @throws InputError if the predictions name an image that is not annotated
 *
 * @example
 * ```ts
 * import { evaluateOpenImages, openPredictions, readOpenImagesTruth } from 'relflow/evaluation';
 *
 * const truth = await readOpenImagesTruth('OI_SGG_test.json', 'categories.json');
 * const { report } = await evaluateOpenImages(await openPredictions('predictions.jsonl'), { truth, compat: true });
 * console.log(report.metrics['score_wmAP']);
 * ```
 */
export async function evaluateOpenImages(
  predictions: Predictions,
  options: EvaluateOpenImagesOptions,
): Promise<BenchmarkEvaluation> {
  const evaluation = new Evaluation(predictions, options);
  return annotatedImages(options.truth).evaluate(predictions, evaluation);
}

class Evaluation {
  readonly #options: EvaluateOpenImagesOptions;
  readonly #predictions: Predictions;
  readonly #names: OpenImagesNames;
  readonly #images: readonly TrueImage[];
  readonly #classes = new Map<number, Rankings>();
  readonly #mistakes: HighestMistakes;
  readonly #counts = { pairs: 0, scored: 0, suppressed: 0, otherClasses: 0, inEmptyImages: 0 };

  constructor(predictions: Predictions, options: EvaluateOpenImagesOptions) {
    this.#options = options;
    this.#predictions = predictions;
    this.#names = new OpenImagesNames(options.truth, predictions);
    this.#images = trueImages(options.truth);
    this.#mistakes = new HighestMistakes(options.mistakes ?? 0);
    for (const [position, { relations }] of this.#images.entries())
      for (const { subject, object, predicate } of relations) {
        const triplet = this.#names.triplet(subject.category, object.category, predicate);
        const rankings = this.#classes.get(triplet) ?? {
          relations100: new ClassRanking(),
          relations50: new ClassRanking(),
          phrases: new ClassRanking(),
        };
        this.#classes.set(triplet, rankings);
        for (const ranking of Object.values(rankings) as ClassRanking[]) ranking.addTruth(position);
      }
  }

  add(position: number, image: ImagePredictions): void {
    const pairs = pairsOf(this.#predictions, this.#names, image);
    this.#counts.pairs += pairs.length;
    const predicates = this.#predictions.header.predicates.map((name) => this.#names.predicate(name));
    const best = topScores(
      pairs.length,
      predicates.length,
      (pair, row) => {
        const { scores, subjectScore, objectScore } = pairs[pair]!;
        for (let k = 0; k < row.length; k++) row[k] = scores[k]! * objectScore * subjectScore;
      },
      100,
    ).map(({ pair, predicate: place, score }) => {
      const { subject, object } = pairs[pair]!;
      const predicate = predicates[place]!;
      const triplet = this.#names.triplet(subject.category, object.category, predicate);
      return { subject, object, predicate, triplet, score, phrase: unionBox(subject.box, object.box) };
    });
    this.#counts.scored += best.length;
    this.#addRelations(position, best.slice(0, 50), 'relations50');
    const kept = this.#addRelations(position, best, 'relations100');
    this.#counts.suppressed += best.length - kept.length;
    const phrases = this.#options.suppress === false ? kept : suppressPhrases(kept);
    const { relations } = this.#images[position]!;
    const truths = relations.map(({ subject, object, predicate }) => ({
      phrase: unionBox(subject.box, object.box),
      triplet: this.#names.triplet(subject.category, object.category, predicate),
    }));
    // Phrases of images without boxes count as wrong ones, unlike relations.
    for (const { phrase, isRight } of matchPhrases(phrases, truths, this.#options.compat ?? false))
      this.#classes.get(phrase.triplet)?.phrases.add(phrase.score, isRight, position);
  }

  /** Adds the relations of an image to the rankings; returns what suppression leaves, grouped by class. */
  #addRelations<
    P extends {
      readonly subject: TrueImage['objects'][number];
      readonly object: TrueImage['objects'][number];
      readonly predicate: number;
      readonly triplet: number;
      readonly score: number;
    },
  >(position: number, predictions: readonly P[], run: 'relations50' | 'relations100'): readonly P[] {
    const { objects, relations, file } = this.#images[position]!;
    const kept = this.#options.suppress === false ? predictions : suppressPairs(predictions);
    const isLast = run === 'relations100';
    if (objects.length === 0) {
      if (isLast) this.#counts.inEmptyImages += kept.length;
      return kept;
    }
    const ranked = [...kept].sort((a, b) => b.score - a.score);
    const outcomes = matchRelations(ranked, relations, strictPixelIou);
    for (const [k, { subject, object, predicate, triplet, score }] of ranked.entries()) {
      const rankings = this.#classes.get(triplet);
      const outcome = outcomes[k]!;
      if (!rankings) {
        if (isLast) this.#counts.otherClasses++;
        continue;
      }
      rankings[run].add(score, outcome === 'right', position);
      if (!isLast || outcome === 'right') continue;
      const named = ({ box, category }: typeof subject) => ({ box, category: this.#names.objects[category]! });
      this.#mistakes.add(score, () => ({
        image: file,
        subject: named(subject),
        predicate: this.#names.predicates[predicate]!,
        object: named(object),
        score,
        reason: outcome,
      }));
    }
    return kept;
  }

  result(missing: number): BenchmarkEvaluation {
    const { resamples = 0 } = this.#options;
    const intervals = resamples > 0 && bootstrapMetrics(this.#images.length, resamples, (w) => this.#metrics(w));
    return {
      report: {
        benchmark: 'Open Images relations',
        evaluator: 'RLIPv2 datasets/oi_sgg_eval.py, OISGGEvaluator (2adae60)',
        protocol: this.#protocol(resamples),
        counts: this.#reportCounts(missing),
        metrics: this.#metrics(),
        ...(intervals && { intervals }),
        classes: [...this.#classes].map(([triplet, { relations100, phrases }]) => {
          const { subject, predicate, object } = this.#names.names(triplet);
          return {
            name: `${subject} ${predicate} ${object}`,
            subject,
            predicate,
            object,
            gt: relations100.positives,
            ap_relation: elevenPointAp(relations100.curve()),
            ap_phrase: elevenPointAp(phrases.curve()),
            true_positives_relation: relations100.found,
            true_positives_phrase: phrases.found,
          };
        }),
      },
      curves: () =>
        [...this.#classes].map(([triplet, { relations100 }]) => {
          const { subject, predicate, object } = this.#names.names(triplet);
          const curve = relations100.curve();
          return { name: `${subject} ${predicate} ${object}`, ap: elevenPointAp(curve), ...curve };
        }),
      mistakes: this.#mistakes.list(),
    };
  }

  #metrics(weights?: Uint16Array): Record<string, number | null> {
    const relations = summary(
      [...this.#classes.values()].map((of) => of.relations100),
      weights,
    );
    const at50 = summary(
      [...this.#classes.values()].map((of) => of.relations50),
      weights,
    );
    const phrases = summary(
      [...this.#classes.values()].map((of) => of.phrases),
      weights,
    );
    const score = (relation: number | null, phrase: number | null) =>
      at50.recall === null || relation === null || phrase === null
        ? null
        : 0.2 * at50.recall + 0.4 * relation + 0.4 * phrase;
    return {
      score_wmAP: score(relations.wmAP, phrases.wmAP),
      score_mAP: score(relations.mAP, phrases.mAP),
      recall_50: at50.recall,
      recall_100: relations.recall,
      relations_mAP: relations.mAP,
      relations_wmAP: relations.wmAP,
      relations_mean_max_recall_100: relations.meanMaxRecall,
      relations_mean_max_recall_50: at50.meanMaxRecall,
      phrases_mAP: phrases.mAP,
      phrases_wmAP: phrases.wmAP,
      phrases_mean_max_recall_100: phrases.meanMaxRecall,
      phrases_recall_100: phrases.recallOfPredicted,
    };
  }

  #protocol(resamples: number): BenchmarkReport['protocol'] {
    const { suppress = true, compat = false } = this.#options;
    const { header } = this.#predictions;
    return {
      score: 'predicate × object × subject',
      'predictions of an image': 'top 100 of pairs × predicates; top 50 in a second run for recall at 50',
      'pair suppression': suppress ? 'IoU(subjects) · √IoU(objects) > 0.7, after the cut' : 'off',
      'phrase suppression': suppress ? 'IoU > 0.5 of a class, after that of pairs' : 'off',
      matching: 'IoU ≥ 0.5 with the extra pixel; best candidate or wrong',
      'overlaps of phrases': compat ? 'looked up by mistake as in RLIPv2' : "each phrase's own",
      'average precision': '11 points at 0.1·k in floating point, of triplet classes',
      wmAP: 'weighted by the relations of a triplet class',
      score_wmAP: '0.2 · recall_50 + 0.4 · relations_wmAP + 0.4 · phrases_wmAP',
      'object categories asked for': header.objects.length,
      'predicates asked for': header.predicates.length,
      'scores fused in the file': header.fused,
      ...(resamples > 0 && { intervals: `95 %, bootstrap over images, ${resamples} resamples` }),
    };
  }

  #reportCounts(missing: number): Record<string, number> {
    const { pairs, scored, suppressed, otherClasses, inEmptyImages } = this.#counts;
    return {
      images: this.#images.length,
      'images-without-boxes': this.#images.filter(({ objects }) => objects.length === 0).length,
      'images-without-relations': this.#images.filter(({ relations }) => relations.length === 0).length,
      'images-without-predictions': missing,
      relations: this.#images.reduce((sum, { relations }) => sum + relations.length, 0),
      classes: this.#classes.size,
      pairs,
      'predictions-in-top-100': scored,
      'predictions-suppressed': suppressed,
      'relations-predicted-in-images-without-boxes': inEmptyImages,
      'predictions-of-other-classes': otherClasses,
    };
  }
}

/** Means over classes and the recall over all of them. */
function summary(rankings: readonly ClassRanking[], weights?: Uint16Array) {
  const rows = rankings.flatMap((ranking) => {
    const curve = ranking.curve(weights);
    const recall = maxRecall(curve);
    return curve.positives === 0
      ? []
      : [{ ap: elevenPointAp(curve), recall, positives: curve.positives, isPredicted: ranking.size > 0 }];
  });
  const positives = rows.reduce((sum, row) => sum + row.positives, 0);
  const found = rows.reduce((sum, row) => sum + row.recall * row.positives, 0);
  const ofPredicted = rows.reduce((sum, row) => sum + (row.isPredicted ? row.positives : 0), 0);
  return {
    mAP: meanOf(rows.map(({ ap }) => ap)),
    wmAP: positives === 0 ? null : rows.reduce((sum, row) => sum + (row.ap * row.positives) / positives, 0),
    meanMaxRecall: meanOf(rows.map(({ recall }) => recall)),
    recall: positives === 0 ? null : found / positives,
    /** Classes without any prediction are not in the denominator, as in RLIPv2's recall of phrases. */
    recallOfPredicted: ofPredicted === 0 ? null : found / ofPredicted,
  };
}
