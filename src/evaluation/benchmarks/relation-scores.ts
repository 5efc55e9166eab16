import { RelflowError } from '../../errors.js';
import { type Box, iou } from '../../records/box.js';
import type { FoundRelation } from '../../records/found-relation.js';
import type { ImageRecord } from '../../records/image.js';
import type { Related } from '../../records/scene-graph.js';
import { averagePrecision } from '../predicates/average-precision.js';

/** Scores of scene-graph detection: how well a model finds relations, including both objects. */
export interface RelationReport {
  readonly images: number;
  /** Number of true relations. */
  readonly relations: number;
  /** Number of true relations that were held out of training. */
  readonly unseen: number;
  /** K → share of an image's relations among its K highest-scoring predictions; mean over images with relations. */
  readonly recall: Readonly<Record<number, number>>;
  /** K → the same over unseen relations; null when there are none. */
  readonly unseenRecall: Readonly<Record<number, number | null>>;
  /** K → mean over predicates of the recall over all images. */
  readonly meanRecall: Readonly<Record<number, number>>;
  /** Mean over predicates of the average precision. */
  readonly meanAveragePrecision: number;
  /** K → share of true pairs whose boxes and categories are found, with any predicate. */
  readonly pairRecall: Readonly<Record<number, number>>;
  readonly predicates: readonly {
    readonly predicate: string;
    readonly count: number;
    readonly averagePrecision: number | null;
  }[];
}

type GroundTruth = ImageRecord & Related;

/** Minimum IoU of a predicted and a true box that count as the same. */
const MIN_IOU = 0.5;
/** Threshold of `pairNms`. Source: RLIPv2, datasets/hico_eval.py, `--use_nms_filter`. */
const NMS_THRESHOLD = 0.7;

/**
 * Accumulates scores of scene-graph detection on own data, image by image. They are none of the official measures: those of
 * HICO-DET, V-COCO, Open Images and VG150 are `evaluateHico`, `evaluateVcoco`, `evaluateOpenImages` and `evaluateSceneGraphs`. A prediction matches a true relation if its predicate and both
 * categories are equal and both boxes have an IoU of at least 0.5. Each true relation matches at most one prediction, the one
 * with the highest score. Relations without an object are left out.
 *
 * Source: Xu et al., 2017 (recall); Tang et al., 2019 (mean recall); RLIPv2, datasets/hico_eval.py (matching).
 *
 * @example
 * ```ts
 * import type { ImageRecord, Related } from 'relflow';
 * import { RelationScores } from 'relflow/evaluation';
 *
 * declare const record: ImageRecord & Related;
 * const scores = new RelationScores([20, 50]);
 * scores.add(record, [
 *   {
 *     subject: { category: 'person', box: [10, 10, 50, 100] },
 *     predicate: 'riding',
 *     object: { category: 'horse', box: [5, 60, 120, 90] },
 *     score: 0.8,
 *   },
 * ]);
 * console.log(scores.result().recall[20]);
 * ```
 */
export class RelationScores {
  readonly #cuts: readonly number[];
  readonly #unseen: (subject: string, predicate: string, object: string) => boolean;
  readonly #recall: Map<number, number>;
  readonly #unseenRecall: Map<number, number>;
  readonly #pairs: Map<number, number>;
  readonly #byPredicate = new Map<string, { count: number; hits: Map<number, number> }>();
  readonly #candidates = new Map<string, { score: number; holds: boolean }[]>();
  readonly #counts = { images: 0, withRelations: 0, withUnseen: 0, relations: 0, unseen: 0, pairs: 0 };

  /**
   * @param cuts values of K for the recalls
   * @param unseen returns whether a relation was held out of training
   */
  constructor(
    cuts: readonly number[] = [20, 50, 100],
    unseen: (subject: string, predicate: string, object: string) => boolean = () => false,
  ) {
    this.#cuts = cuts;
    this.#unseen = unseen;
    const zeros = () => new Map(cuts.map((cut) => [cut, 0]));
    [this.#recall, this.#unseenRecall, this.#pairs] = [zeros(), zeros(), zeros()];
  }

  /**
   * Adds one image.
   * @param found predictions, the highest score first
   * @throws RelflowError (`bad-score`) when a score is not a number in [0, 1], or a box has a number that is not finite
   */
  add({ detections, relations }: GroundTruth, found: readonly FoundRelation[]): void {
    for (const relation of found) checkPrediction(relation);
    const distinct = pairNms(found);
    this.#counts.images++;
    const truths = relations.flatMap(({ subject, object, predicate }) => {
      if (object === null) return [];
      const [s, o] = [detections[subject]!, detections[object]!];
      const unseen = this.#unseen(s.category, predicate, o.category);
      return { subject: s, object: o, predicate, unseen, key: `${subject} ${object}` };
    });
    for (const { predicate, unseen } of truths) {
      this.#counts.relations++;
      if (unseen) this.#counts.unseen++;
      this.#countsOf(predicate).count++;
    }
    /** Index of a true relation → rank of the prediction that matches it. */
    const foundAt = new Map<number, number>();
    const pairAt = new Map<string, number>();
    for (const [rank, relation] of distinct.entries()) {
      let best = -1;
      let most = MIN_IOU;
      for (const [k, truth] of truths.entries()) {
        const overlap = pairOverlap(relation, truth);
        if (overlap >= MIN_IOU && !pairAt.has(truth.key)) pairAt.set(truth.key, rank);
        if (foundAt.has(k) || truth.predicate !== relation.predicate || overlap < most) continue;
        [best, most] = [k, overlap];
      }
      if (best >= 0) foundAt.set(best, rank);
      const candidates = this.#candidates.get(relation.predicate) ?? [];
      this.#candidates.set(relation.predicate, candidates);
      candidates.push({ score: relation.score, holds: best >= 0 });
    }
    if (truths.length === 0) return;
    this.#counts.withRelations++;
    const unseen = truths.filter((truth) => truth.unseen).length;
    if (unseen > 0) this.#counts.withUnseen++;
    const keys = new Set(truths.map(({ key }) => key));
    this.#counts.pairs += keys.size;
    for (const cut of this.#cuts) {
      const hits = [...foundAt].filter(([, rank]) => rank < cut).map(([k]) => truths[k]!);
      add(this.#recall, cut, hits.length / truths.length);
      if (unseen > 0) add(this.#unseenRecall, cut, hits.filter((truth) => truth.unseen).length / unseen);
      for (const { predicate } of hits) add(this.#countsOf(predicate).hits, cut, 1);
      add(this.#pairs, cut, [...pairAt.values()].filter((rank) => rank < cut).length);
    }
  }

  /** Returns the scores over all images added so far. */
  result(): RelationReport {
    const { images, withRelations, withUnseen, relations, unseen, pairs } = this.#counts;
    const over = (sums: Map<number, number>, count: number) =>
      Object.fromEntries([...sums].map(([cut, sum]) => [cut, sum / Math.max(1, count)]));
    const seen = [...this.#byPredicate].sort(([a, m], [b, n]) => n.count - m.count || (a < b ? -1 : 1));
    const predicates = seen.map(([predicate, { count }]) => ({
      predicate,
      count,
      averagePrecision: averagePrecisionWithMisses(this.#candidates.get(predicate) ?? [], count),
    }));
    return {
      images,
      relations,
      unseen,
      recall: over(this.#recall, withRelations),
      unseenRecall:
        withUnseen > 0
          ? over(this.#unseenRecall, withUnseen)
          : Object.fromEntries(this.#cuts.map((cut) => [cut, null])),
      meanRecall: Object.fromEntries(
        this.#cuts.map((cut) => [cut, mean(seen.map(([, { count, hits }]) => (hits.get(cut) ?? 0) / count))]),
      ),
      meanAveragePrecision: mean(predicates.map(({ averagePrecision: precision }) => precision)),
      pairRecall: over(this.#pairs, pairs),
      predicates,
    };
  }

  #countsOf(predicate: string): { count: number; hits: Map<number, number> } {
    const known = this.#byPredicate.get(predicate);
    if (known) return known;
    const made = { count: 0, hits: new Map(this.#cuts.map((cut) => [cut, 0])) };
    this.#byPredicate.set(predicate, made);
    return made;
  }
}

function checkPrediction({ subject, predicate, object, score }: FoundRelation): void {
  if (!(score >= 0 && score <= 1))
    throw new RelflowError(
      'bad-score',
      `evaluation: found the score ${score} for '${predicate}', expected a number from 0 to 1`,
    );
  const box = [subject.box, object.box].find((sides) => !sides.every(Number.isFinite));
  if (box)
    throw new RelflowError(
      'bad-score',
      `evaluation: found the box [${box}] for '${predicate}', expected finite numbers`,
    );
}

/** Returns the average precision with unmatched true relations as misses, as if they had the lowest score. */
function averagePrecisionWithMisses(candidates: readonly { score: number; holds: boolean }[], count: number): number {
  const found = candidates.filter(({ holds }) => holds).length;
  return found === 0 ? 0 : (averagePrecision(candidates)! * found) / count;
}

/** The two objects of a relation. */
interface SubjectAndObject {
  readonly subject: { readonly category: string; readonly box: Box };
  readonly object: { readonly category: string; readonly box: Box };
}

/** Returns the smaller IoU of the two boxes; 0 if a category differs. */
const pairOverlap = (a: SubjectAndObject, b: SubjectAndObject): number =>
  a.subject.category === b.subject.category && a.object.category === b.object.category
    ? Math.min(iou(a.subject.box, b.subject.box), iou(a.object.box, b.object.box))
    : 0;

/**
 * Applies non-maximum suppression to relations with the same subject category, predicate and object category: a relation is
 * dropped if IoU(subjects) · √IoU(objects) with one of a higher score is above 0.7.
 *
 * Source: RLIPv2, datasets/hico_eval.py, `pairwise_nms`; areas here are without the extra pixel.
 *
 * @param found predictions, the highest score first
 *
 * @example
 * ```ts
 * import { pairNms } from 'relflow/evaluation';
 *
 * const person = { category: 'person', box: [0, 0, 50, 100] } as const;
 * const horse = { category: 'horse', box: [0, 50, 120, 90] } as const;
 * const relation = { subject: person, predicate: 'riding', object: horse };
 * pairNms([relation, relation]); // [relation]
 * ```
 */
export function pairNms<R extends SubjectAndObject & { readonly predicate: string }>(found: readonly R[]): R[] {
  const kept: R[] = [];
  for (const relation of found) {
    const same = kept.some(
      (other) =>
        other.predicate === relation.predicate &&
        other.subject.category === relation.subject.category &&
        other.object.category === relation.object.category &&
        iou(other.subject.box, relation.subject.box) * Math.sqrt(iou(other.object.box, relation.object.box)) >
          NMS_THRESHOLD,
    );
    if (!same) kept.push(relation);
  }
  return kept;
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

const add = (sums: Map<number, number>, key: number, value: number) => sums.set(key, sums.get(key)! + value);
