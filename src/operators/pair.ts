import { overlaps } from '../records/box.js';
import type { CandidatePair, Candidates, CandidateText, Matched } from '../records/candidate.js';
import type { Detection, ImageRecord } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Parsed } from '../records/text-graph.js';
import { type Operator, type OperatorContext, operator } from './operator.js';

export interface PairOptions {
  /** Only pairs whose boxes overlap. Default false, as in the paper's headline run. */
  readonly overlap?: boolean;
  /**
   * At most this many pairs an image, shared out among its subjects; each keeps its nearest objects. Default 10,000; no
   * bound in compat.
   */
  readonly maxPairs?: number;
  /** Relation texts exactly as written, and no bound on pairs. Default false. */
  readonly compat?: boolean;
}

/** Relation texts by subject category and then object category, each in order of first appearance. */
type Triplets = ReadonlyMap<string, ReadonlyMap<string, readonly CandidateText[]>>;

/**
 * Pairs up detections whose categories a caption relates: each ordered pair of distinct detections once, with its own
 * relation texts. A caption names categories, not boxes, so "a man riding a horse" relates every person to every horse;
 * which of them hold is for the tagger to say.
 *
 * Source: RLIPv2 (ICCV 2023), section 3.3; datasets/rlipv2_helper/BLIP_coco_caption_helper.py, where a pair is repeated
 * for each text.
 *
 * @throws OptionError where `maxPairs` is out of range
 */
export function pair(options: PairOptions = {}): Operator<ImageRecord & Parsed & Matched, Candidates> {
  const { overlap = false, compat = false } = options;
  const maxPairs = options.maxPairs ?? (compat ? Number.MAX_SAFE_INTEGER : 10_000);
  checkPositiveInteger('pair', 'maxPairs', maxPairs);
  return operator<ImageRecord & Parsed & Matched, Candidates>({
    name: 'pair',
    version: '1',
    options: { overlap, ...(maxPairs < Number.MAX_SAFE_INTEGER && { maxPairs }), compat },
    needs: ['detections', 'phrases', 'mentions'],
    adds: ['candidates'],
    apply: (record, context) => {
      const triplets = categoryTriplets(record, compat, context);
      const candidates = pairDetections(record.detections, triplets, overlap, maxPairs, context);
      context.count('pairs', candidates.length);
      if (candidates.length === 0) context.count('images-without-pair');
      return { candidates };
    },
  });
}

function categoryTriplets(record: Parsed & Matched, compat: boolean, context: OperatorContext): Triplets {
  const categories = new Map(record.mentions.map((m) => [`${m.caption} ${m.entity}`, m.category]));
  const triplets = new Map<string, Map<string, { text: string; captions: number[] }[]>>();
  record.phrases.forEach((graph, caption) => {
    for (const relation of graph.relations) {
      const subject = categories.get(`${caption} ${relation.subject}`);
      const object = categories.get(`${caption} ${relation.object}`);
      if (!subject || !object) {
        context.count('relations-without-category');
        continue;
      }
      context.count('relations-with-categories');
      const text = compat ? relation.predicate : relation.predicate.toLowerCase().replace(/\s+/g, ' ').trim();
      if (text === '') {
        context.count('relations-without-text');
        continue;
      }
      const byObject = triplets.get(subject) ?? new Map<string, { text: string; captions: number[] }[]>();
      triplets.set(subject, byObject);
      const texts = byObject.get(object) ?? [];
      byObject.set(object, texts);
      const known = texts.find((t) => t.text === text);
      if (!known) texts.push({ text, captions: [caption] });
      else if (known.captions.at(-1) !== caption) known.captions.push(caption);
    }
  });
  return triplets;
}

function pairDetections(
  detections: readonly Detection[],
  triplets: Triplets,
  overlap: boolean,
  maxPairs: number,
  context: OperatorContext,
): CandidatePair[] {
  const byCategory = new Map<string, number[]>();
  detections.forEach(({ category }, index) => {
    const indexes = byCategory.get(category);
    if (indexes) indexes.push(index);
    else byCategory.set(category, [index]);
  });
  // What a category's boxes can be paired with is the same for all of them.
  const partners = new Map(
    [...triplets].map(([category, byObject]) => [
      category,
      [...byObject.keys()].flatMap((name) => byCategory.get(name) ?? []).sort((a, b) => a - b),
    ]),
  );
  explainTriplets(triplets, byCategory, context);
  const subjects = detections.flatMap(({ category, box }, subject) => {
    const all = partners.get(category);
    if (!all) return [];
    if (!overlap) return [{ subject, objects: all, others: all.length - (all.includes(subject) ? 1 : 0) }];
    const objects = all.filter((o) => o !== subject && overlaps(box, detections[o]!.box));
    context.count('pairs-not-overlapping', all.length - (all.includes(subject) ? 1 : 0) - objects.length);
    return [{ subject, objects, others: objects.length }];
  });
  const wants = subjects.map(({ others }) => others);
  const total = wants.reduce((sum, want) => sum + want, 0);
  const limits = total > maxPairs ? fairShares(maxPairs, wants) : null;
  if (limits) context.count('pairs-over-limit', total - maxPairs);
  const nearest = nearestFinder(detections);
  const pairs: CandidatePair[] = [];
  subjects.forEach(({ subject, objects }, index) => {
    const byObject = triplets.get(detections[subject]!.category)!;
    for (const object of limits ? nearest(subject, objects, limits[index]!) : objects) {
      if (object === subject) continue;
      // Pairs of the same categories share their texts; nobody changes a record.
      pairs.push({ subject, object, texts: byObject.get(detections[object]!.category) as CandidateText[] });
    }
  });
  return pairs;
}

/** Shares `total` out as evenly as it goes, to each no more than it wants; among equals the first get the rest. */
function fairShares(total: number, wants: readonly number[]): number[] {
  const given = wants.map(() => 0);
  let left = total;
  const modestFirst = wants.map((want, index) => ({ want, index })).sort((a, b) => a.want - b.want);
  modestFirst.forEach(({ want, index }, before) => {
    given[index] = Math.min(want, Math.ceil(left / (wants.length - before)));
    left -= given[index];
  });
  return given;
}

/** Counts triplets that no two boxes can carry. */
function explainTriplets(
  triplets: Triplets,
  byCategory: ReadonlyMap<string, readonly number[]>,
  context: OperatorContext,
): void {
  for (const [subject, byObject] of triplets) {
    for (const [object, texts] of byObject) {
      const s = byCategory.get(subject)?.length ?? 0;
      const o = byCategory.get(object)?.length ?? 0;
      const pairs = subject === object ? s * (s - 1) : s * o;
      if (pairs === 0) context.count('triplets-without-pair', texts.length);
      context.explain?.(`(${subject}, ${texts.map((t) => t.text).join(' | ')}, ${object}): ${pairs} pairs of boxes`);
    }
  }
}

/** Finds the `count` objects whose centres are nearest to a subject's, ties by index; in ascending order of index. */
function nearestFinder(detections: readonly Detection[]) {
  const x = Float64Array.from(detections, ({ box }) => box[0] + box[2] / 2);
  const y = Float64Array.from(detections, ({ box }) => box[1] + box[3] / 2);
  return (subject: number, objects: readonly number[], count: number): number[] => {
    // Kept sorted: with ten thousand boxes `count` is a handful, and sorting all objects of all subjects takes minutes.
    const best: { object: number; distance: number }[] = [];
    let worst = count > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    for (const object of objects) {
      const distance = (x[object]! - x[subject]!) ** 2 + (y[object]! - y[subject]!) ** 2;
      if (distance >= worst || object === subject) continue;
      let at = best.length;
      while (at > 0 && best[at - 1]!.distance > distance) at--;
      best.splice(at, 0, { object, distance });
      if (best.length > count) best.pop();
      if (best.length === count) worst = best[count - 1]!.distance;
    }
    return best.map((item) => item.object).sort((a, b) => a - b);
  };
}
