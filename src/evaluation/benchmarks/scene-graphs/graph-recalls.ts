import { type BenchmarkReport, meanOf } from '../benchmark-report.js';
import { type GraphTruth, graphTripletKey } from './graph-truth.js';

/** The numbers of predictions of an image that recalls are of. */
export const CUTS = [20, 50, 100] as const;

/** Ranks of the predictions that find an image's true relations. */
export interface ImageRanks {
  readonly position: number;
  readonly constrained: Float64Array;
  readonly unconstrained: Float64Array;
  /** Ranks among the predictions of true pairs; null for `sgdet`. */
  readonly ofPairs: Float64Array | null;
}

/** The recalls of scene-graph generation, from the ranks of the predictions that find the true relations. */
export class GraphRecalls {
  readonly #truth: GraphTruth;
  readonly #ranks: readonly ImageRanks[];
  readonly #isOfPairs: boolean;

  /**
   * @param ranks of the images that count
   * @param isOfPairs whether the pairs are given, so that the accuracy of true pairs is defined
   */
  constructor(truth: GraphTruth, ranks: readonly ImageRanks[], isOfPairs: boolean) {
    this.#truth = truth;
    this.#ranks = ranks;
    this.#isOfPairs = isOfPairs;
  }

  /**
   * Returns the recalls by name; null where nothing was counted.
   * @param weights how often each image counts; omitted for once
   */
  metrics(weights?: Uint16Array): Record<string, number | null> {
    const ranks = this.#ranks.flatMap((of) => Array.from({ length: weights ? weights[of.position]! : 1 }, () => of));
    const metrics: Record<string, number | null> = {};
    const both = [
      ['', 'constrained'],
      ['ng', 'unconstrained'],
    ] as const;
    for (const [prefix, key] of both) {
      const name = (metric: string) => (prefix === '' ? metric : metric === 'R' ? `ng${metric}` : `ng-${metric}`);
      for (const cut of CUTS) metrics[`${name('R')}@${cut}`] = meanOf(ranks.map((of) => shareBelow(of[key], cut)));
      for (const cut of CUTS)
        metrics[`${name('mR')}@${cut}`] = meanOf(this.#predicateRecalls(ranks, key, cut).map(({ recall }) => recall));
      if (this.#truth.zeroShot !== null)
        for (const cut of CUTS)
          metrics[`${name('zR')}@${cut}`] = meanOf(ranks.flatMap((of) => this.#zeroShotRecall(of, key, cut)));
    }
    if (this.#isOfPairs)
      for (const cut of CUTS) {
        const found = ranks.reduce((sum, { ofPairs }) => sum + countBelow(ofPairs!, cut), 0);
        const all = ranks.reduce((sum, { constrained }) => sum + constrained.length, 0);
        metrics[`A@${cut}`] = all === 0 ? null : found / all;
      }
    return metrics;
  }

  #zeroShotRecall(of: ImageRanks, key: 'constrained' | 'unconstrained', cut: number): number[] {
    const { objects, relations } = this.#truth.images[of.position]!;
    let [all, found] = [0, 0];
    for (const [k, { subject, object, predicate }] of relations.entries()) {
      const triplet = graphTripletKey(objects[subject]!.label, objects[object]!.label, predicate);
      if (!this.#truth.zeroShot!.has(triplet)) continue;
      all++;
      if (of[key][k]! < cut) found++;
    }
    return all === 0 ? [] : [found / all];
  }

  /** Returns the mean over the images that have a predicate of its recall there, for each predicate; 0 if no image has it. */
  #predicateRecalls(ranks: readonly ImageRanks[], key: 'constrained' | 'unconstrained', cut: number) {
    const sums = this.#truth.predicates.map(() => ({ images: 0, recall: 0, relations: 0 }));
    for (const of of ranks) {
      const counts = new Map<number, { all: number; found: number }>();
      for (const [k, { predicate }] of this.#truth.images[of.position]!.relations.entries()) {
        const count = counts.get(predicate) ?? { all: 0, found: 0 };
        counts.set(predicate, count);
        count.all++;
        if (of[key][k]! < cut) count.found++;
      }
      for (const [predicate, { all, found }] of counts) {
        const sum = sums[predicate]!;
        sum.images++;
        sum.relations += all;
        sum.recall += found / all;
      }
    }
    return sums.map(({ images, relations, recall }) => ({
      images,
      relations,
      recall: images === 0 ? 0 : recall / images,
    }));
  }

  /** Returns the recalls of each predicate. */
  classes(): BenchmarkReport['classes'] {
    const recalls = (key: 'constrained' | 'unconstrained') =>
      CUTS.map((cut) => this.#predicateRecalls(this.#ranks, key, cut));
    const [constrained, free] = [recalls('constrained'), recalls('unconstrained')];
    return this.#truth.predicates.map((name, k) => ({
      name,
      gt: constrained[0]![k]!.relations,
      images: constrained[0]![k]!.images,
      ...Object.fromEntries(CUTS.map((cut, c) => [`R@${cut}`, constrained[c]![k]!.recall])),
      ...Object.fromEntries(CUTS.map((cut, c) => [`ngR@${cut}`, free[c]![k]!.recall])),
    }));
  }

  /** Returns the recalls of each image. */
  images(): NonNullable<BenchmarkReport['images']> {
    return this.#ranks.map(({ position, constrained }) => ({
      name: this.#truth.images[position]!.file ?? this.#truth.images[position]!.id,
      ...Object.fromEntries(CUTS.map((cut) => [`R@${cut}`, shareBelow(constrained, cut)])),
    }));
  }

  /** Number of images with triplets that no training image has. */
  get zeroShotImages(): number {
    return this.#ranks.filter((of) => this.#zeroShotRecall(of, 'constrained', 1).length > 0).length;
  }
}

const countBelow = (ranks: Float64Array, cut: number): number => {
  let count = 0;
  for (const rank of ranks) if (rank < cut) count++;
  return count;
};

const shareBelow = (ranks: Float64Array, cut: number): number => countBelow(ranks, cut) / ranks.length;
