import { type Box, iou } from '../../records/box.js';
import type { FoundRelation } from '../../records/found-relation.js';
import type { ImageRecord } from '../../records/image.js';
import type { Related } from '../../records/scene-graph.js';
import { averagePrecision } from '../predicates/predicate-scores.js';

/** How well a model finds relations by itself, both objects included ("scene-graph detection"). */
export interface RelationReport {
  readonly images: number;
  /** True relations. */
  readonly relations: number;
  /** Of these, such as training held out. */
  readonly unseen: number;
  /** By K: the share of an image's relations among its K likeliest; the mean over images that have any. */
  readonly recall: Readonly<Record<number, number>>;
  /** By K: the same over images' unseen relations; null where there are none. */
  readonly unseenRecall: Readonly<Record<number, number | null>>;
  /** By K: recall of each predicate over all images, then over predicates. */
  readonly meanRecall: Readonly<Record<number, number>>;
  /** Mean over predicates of the average precision of what is found of them. */
  readonly meanAveragePrecision: number;
  /** By K: the share of true pairs whose boxes and categories are right, whatever the predicate. */
  readonly pairRecall: Readonly<Record<number, number>>;
  readonly predicates: readonly {
    readonly predicate: string;
    readonly count: number;
    readonly averagePrecision: number | null;
  }[];
}

type GroundTruth = ImageRecord & Related;

/** Boxes that overlap so much are the same. */
const MIN_IOU = 0.5;
/** Source: RLIPv2, datasets/hico_eval.py, `--use_nms_filter`. */
const NMS_THRESHOLD = 0.7;

/**
 * Collects what was found image by image. A relation is found where its predicate and both categories are right and both
 * boxes overlap the true ones by at least half; each true one counts once, for the likeliest that finds it.
 *
 * Source: Xu et al., 2017 (recall); Tang et al., 2019 (mean recall); RLIPv2, datasets/hico_eval.py (matching).
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
   * @param cuts the K of the recalls
   * @param unseen whether training held a relation out
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

  /** @param found the likeliest first */
  add({ detections, relations }: GroundTruth, found: readonly FoundRelation[]): void {
    const distinct = pairNms(found);
    this.#counts.images++;
    const truths = relations.map(({ subject, object, predicate }) => {
      const [s, o] = [detections[subject]!, detections[object]!];
      const unseen = this.#unseen(s.category, predicate, o.category);
      return { subject: s, object: o, predicate, unseen, key: `${subject} ${object}` };
    });
    for (const { predicate, unseen } of truths) {
      this.#counts.relations++;
      if (unseen) this.#counts.unseen++;
      this.#of(predicate).count++;
    }
    /** The place among what was found of what finds each true relation. */
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
      for (const { predicate } of hits) add(this.#of(predicate).hits, cut, 1);
      add(this.#pairs, cut, [...pairAt.values()].filter((rank) => rank < cut).length);
    }
  }

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

  #of(predicate: string): { count: number; hits: Map<number, number> } {
    const known = this.#byPredicate.get(predicate);
    if (known) return known;
    const made = { count: 0, hits: new Map(this.#cuts.map((cut) => [cut, 0])) };
    this.#byPredicate.set(predicate, made);
    return made;
  }
}

/** Relations that nothing finds hold precision's area down, as they would at a score of 0 and below all others. */
function averagePrecisionWithMisses(candidates: readonly { score: number; holds: boolean }[], count: number): number {
  const found = candidates.filter(({ holds }) => holds).length;
  return found === 0 ? 0 : (averagePrecision(candidates)! * found) / count;
}

interface SubjectAndObject {
  readonly subject: { readonly category: string; readonly box: Box };
  readonly object: { readonly category: string; readonly box: Box };
}

/** The lesser overlap of both boxes; 0 where a category differs. */
const pairOverlap = (a: SubjectAndObject, b: SubjectAndObject): number =>
  a.subject.category === b.subject.category && a.object.category === b.object.category
    ? Math.min(iou(a.subject.box, b.subject.box), iou(a.object.box, b.object.box))
    : 0;

/**
 * Of relations with the same three names and about the same boxes the likeliest stays: others go where
 * IoU(subjects) · √IoU(objects) is above 0.7.
 *
 * @param found the likeliest first
 * Source: RLIPv2, datasets/hico_eval.py, `pairwise_nms`; areas here are without the extra pixel.
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
