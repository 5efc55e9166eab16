import { RelflowError } from '../../errors.js';
import { averagePrecision } from './average-precision.js';

/** A tagger's scores of the pairs of one image, with the ground truth. */
export interface ScoredPairs {
  /** Scores of shape `[pairs, predicates]`, row-major, in [0, 1]. */
  readonly scores: Float32Array;
  /** Ground truth of the same shape: 1 if the predicate holds, else 0. */
  readonly truth: Uint8Array;
}

/** Scores of one predicate. */
export interface PredicateResult {
  readonly predicate: string;
  /** Number of pairs for which it holds. */
  readonly count: number;
  /** In [0, 1]; null if the predicate never holds. */
  readonly averagePrecision: number | null;
}

/** Scores of predicate classification: which predicates hold between given boxes. */
export interface PredicateReport {
  readonly images: number;
  /** Number of images with at least one relation; recalls are means over these. */
  readonly imagesWithRelations: number;
  readonly pairs: number;
  readonly relations: number;
  /** K → share of an image's relations among its K highest scores over all pairs and predicates. */
  readonly recall: Readonly<Record<number, number>>;
  /** K → the same with only the highest-scoring predicate of each pair (graph constraint). */
  readonly constrainedRecall: Readonly<Record<number, number>>;
  /** K → mean over predicates of the mean recall over the images with the predicate. */
  readonly meanRecall: Readonly<Record<number, number>>;
  /** Mean over predicates of the average precision, without predicates that never hold. */
  readonly meanAveragePrecision: number;
  /** Expected calibration error with ten bins of scores, in [0, 1]; 0 is perfect. */
  readonly calibrationError: number;
  readonly predicates: readonly PredicateResult[];
}

const BINS = 10;

/**
 * Accumulates scores of predicate classification, image by image.
 *
 * Average precision treats equal scores as one threshold, so that their order does not matter. In recalls, equal scores are
 * ranked in the order of pairs and predicates.
 *
 * Source: Lu et al., 2016, and Xu et al., 2017 (recall, with and without graph constraint); Tang et al., "Learning to
 * Compose Dynamic Tree Structures", 2019 (mean recall); Guo et al., 2017 (calibration).
 *
 * @example
 * ```ts
 * import { PredicateScores } from 'relflow/evaluation';
 *
 * const scores = new PredicateScores(['riding', 'next to'], [20]);
 * // Two pairs: the first is riding, the second is next to.
 * scores.add({ scores: Float32Array.of(0.9, 0.2, 0.1, 0.6), truth: Uint8Array.of(1, 0, 0, 1) });
 * console.log(scores.result().recall[20]); // 1
 * ```
 */
export class PredicateScores {
  readonly #predicates: readonly string[];
  readonly #cuts: readonly number[];
  readonly #candidates: { score: number; holds: boolean }[][];
  readonly #recalls: Record<'free' | 'constrained', Map<number, number>>;
  /** Predicate → sums of recalls by K, and the number of images with it. */
  readonly #byPredicate: { sums: Map<number, number>; images: number }[];
  readonly #bins = Array.from({ length: BINS }, () => ({ count: 0, scores: 0, holds: 0 }));
  #images = 0;
  #withRelations = 0;
  #pairs = 0;

  /** @param cuts values of K for the recalls */
  constructor(predicates: readonly string[], cuts: readonly number[] = [10, 20, 50]) {
    this.#predicates = predicates;
    this.#cuts = cuts;
    this.#candidates = predicates.map(() => []);
    const zeros = () => new Map(cuts.map((cut) => [cut, 0]));
    this.#recalls = { free: zeros(), constrained: zeros() };
    this.#byPredicate = predicates.map(() => ({ sums: zeros(), images: 0 }));
  }

  /**
   * Adds the pairs of one image.
   * @throws RangeError when the arrays differ in length or do not have complete rows
   * @throws RelflowError (`bad-score`) when a score is not a number in [0, 1]
   */
  add({ scores, truth }: ScoredPairs): void {
    const width = this.#predicates.length;
    if (scores.length !== truth.length || scores.length % width !== 0)
      throw new RangeError(
        `found ${scores.length} scores and ${truth.length} truth values, expected equal multiples of ${width}`,
      );
    const bad = scores.find((score) => !(score >= 0 && score <= 1));
    if (bad !== undefined)
      throw new RelflowError('bad-score', `evaluation: found the score ${bad}, expected a number from 0 to 1`);
    this.#images++;
    this.#pairs += scores.length / width;
    for (let k = 0; k < scores.length; k++) {
      const [score, holds] = [scores[k]!, truth[k] === 1];
      this.#candidates[k % width]!.push({ score, holds });
      const bin = this.#bins[Math.min(BINS - 1, Math.floor(score * BINS))]!;
      bin.count++;
      bin.scores += score;
      if (holds) bin.holds++;
    }
    const total = truth.reduce((sum, value) => sum + value, 0);
    if (total === 0) return;
    this.#withRelations++;
    const all = Int32Array.from(scores, (_, k) => k);
    // The sort is stable: equal scores keep their order.
    const ranked = [...all].sort((a, b) => scores[b]! - scores[a]!);
    const best = new Map<number, number>();
    for (const k of ranked) if (!best.has(Math.floor(k / width))) best.set(Math.floor(k / width), k);
    const held = this.#predicates.map((_, p) => all.reduce((sum, k) => sum + (k % width === p ? truth[k]! : 0), 0));
    for (const [p, count] of held.entries()) if (count > 0) this.#byPredicate[p]!.images++;
    for (const cut of this.#cuts) {
      const top = ranked.slice(0, cut).filter((k) => truth[k] === 1);
      const bound = [...best.values()].slice(0, cut).filter((k) => truth[k] === 1);
      add(this.#recalls.free, cut, top.length / total);
      add(this.#recalls.constrained, cut, bound.length / total);
      for (const [p, count] of held.entries())
        if (count > 0) add(this.#byPredicate[p]!.sums, cut, top.filter((k) => k % width === p).length / count);
    }
  }

  /** Returns the scores over all images added so far. */
  result(): PredicateReport {
    const perImage = (sums: Map<number, number>) =>
      Object.fromEntries([...sums].map(([cut, sum]) => [cut, sum / Math.max(1, this.#withRelations)]));
    const seen = this.#byPredicate.filter(({ images }) => images > 0);
    const predicates = this.#predicates.map((predicate, p): PredicateResult => {
      const count = this.#candidates[p]!.filter(({ holds }) => holds).length;
      return { predicate, count, averagePrecision: averagePrecision(this.#candidates[p]!) };
    });
    const precisions = predicates.flatMap(({ averagePrecision: ap }) => (ap === null ? [] : [ap]));
    const all = this.#bins.reduce((sum, { count }) => sum + count, 0);
    return {
      images: this.#images,
      imagesWithRelations: this.#withRelations,
      pairs: this.#pairs,
      relations: predicates.reduce((sum, { count }) => sum + count, 0),
      recall: perImage(this.#recalls.free),
      constrainedRecall: perImage(this.#recalls.constrained),
      meanRecall: Object.fromEntries(
        this.#cuts.map((cut) => [cut, mean(seen.map(({ sums, images }) => sums.get(cut)! / images))]),
      ),
      meanAveragePrecision: mean(precisions),
      calibrationError: this.#bins.reduce(
        (sum, { scores, holds }) => sum + Math.abs(scores - holds) / Math.max(1, all),
        0,
      ),
      predicates,
    };
  }
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

const add = (sums: Map<number, number>, key: number, value: number) => sums.set(key, sums.get(key)! + value);
