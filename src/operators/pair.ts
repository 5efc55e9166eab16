import { memoize } from '../parser/language/memoize.js';
import { digitsOf } from '../parser/language/number-words.js';
import { addToList } from '../records/add-to-list.js';
import { overlaps } from '../records/box.js';
import type { CandidatePair, Candidates, CandidateText, Matched } from '../records/candidate.js';
import type { Captioned } from '../records/caption-record.js';
import type { Detection, ImageRecord } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Parsed, TextRelation } from '../records/text-graph.js';
import { joinedWords } from '../vocabulary/category-names.js';
import { type Operator, type OperatorContext, operator } from './operator.js';

/** Options of `pair`. */
export interface PairOptions {
  /** Keeps only pairs whose boxes overlap. Default false, as in the paper's headline run. */
  readonly overlap?: boolean;
  /**
   * Maximum number of pairs per image. It is divided among the subjects, each of which keeps its nearest objects. Default
   * 10,000; unlimited in compat.
   */
  readonly maxPairs?: number;
  /** Keeps relation texts exactly as written and does not limit the number of pairs. Default false. */
  readonly compat?: boolean;
}

/** Subject category → object category → relation texts, each in the order of first appearance. */
type Triplets = ReadonlyMap<string, ReadonlyMap<string, readonly CandidateText[]>>;

/**
 * Adds candidate pairs: the ordered pairs of distinct detections whose categories a caption relates, each pair once, with its
 * relation texts. A caption names categories, not boxes, so "a man riding a horse" relates every person to every horse; the
 * tagger decides which relations hold.
 *
 * Source: RLIPv2 (ICCV 2023), section 3.3; datasets/rlipv2_helper/BLIP_coco_caption_helper.py, which repeats a pair for each
 * text.
 *
 * @throws OptionError when `maxPairs` is not a positive whole number
 *
 * @example
 * ```ts
 * import { candidateSets, caption, captionFile, coco, Graph, match, pair, parse } from 'relflow';
 *
 * new Graph('candidates')
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })))
 *   .pipe(parse())
 *   .pipe(match())
 *   .pipe(pair({ overlap: true }))
 *   .to(candidateSets());
 * ```
 */
export function pair(options: PairOptions = {}): Operator<ImageRecord & Parsed & Matched, Candidates> {
  const { overlap = false, compat = false } = options;
  const maxPairs = options.maxPairs ?? (compat ? Number.MAX_SAFE_INTEGER : 10_000);
  checkPositiveInteger('pair', 'maxPairs', maxPairs);
  const spellingsOf = compat ? () => null : spellingFinder();
  return operator<ImageRecord & Parsed & Matched, Candidates>({
    name: 'pair',
    version: compat ? '1' : '2',
    options: { overlap, ...(maxPairs < Number.MAX_SAFE_INTEGER && { maxPairs }), compat },
    needs: ['detections', 'phrases', 'mentions'],
    adds: ['candidates'],
    apply: (record, context) => {
      const spellings = spellingsOf(record.detections);
      const detections = spellings
        ? record.detections.map((one) => ({ ...one, category: spellings.get(one.category)! }))
        : record.detections;
      const triplets = categoryTriplets(record, spellings, compat, context);
      const candidates = pairDetections(detections, triplets, overlap, maxPairs, context);
      context.count('pairs', candidates.length);
      if (candidates.length === 0) context.count('images-without-pair');
      return { candidates };
    },
  });
}

/** Number of category names that are compared; beyond it every image is searched for common spellings. */
const MAX_KNOWN_NAMES = 20_000;

/**
 * Returns a function that finds the spelling to use for each category of an image, see `commonSpellings`. As long as all
 * categories that it has seen differ otherwise, which is usual, an image costs one look-up per box.
 */
function spellingFinder(): (detections: readonly Detection[]) => ReadonlyMap<string, string> | null {
  const names = new Set<string>();
  const keys = new Set<string>();
  return (detections) => {
    for (const { category } of detections) {
      if (names.has(category) || names.size >= MAX_KNOWN_NAMES) continue;
      names.add(category);
      keys.add(spellingKey(category));
    }
    const allDiffer = keys.size === names.size && names.size < MAX_KNOWN_NAMES;
    return allDiffer ? null : commonSpellings(detections);
  };
}

/**
 * Returns the spelling to use for each category of an image, the first of those that differ only in case, blanks and signs:
 * `Horse` for `horse ` after `Horse`; null if all differ otherwise.
 */
function commonSpellings(detections: readonly Detection[]): ReadonlyMap<string, string> | null {
  const spellings = new Map<string, string>();
  const firsts = new Map<string, string>();
  for (const { category } of detections) {
    if (spellings.has(category)) continue;
    const key = spellingKey(category);
    const first = firsts.get(key) ?? category;
    firsts.set(key, first);
    spellings.set(category, first);
  }
  return firsts.size < spellings.size ? spellings : null;
}

const spellingKey = memoize(MAX_KNOWN_NAMES, (category) => joinedWords(category) || category);

function categoryTriplets(
  record: Parsed & Matched & Partial<Captioned>,
  spellings: ReadonlyMap<string, string> | null,
  compat: boolean,
  context: OperatorContext,
): Triplets {
  const categories = new Map(
    record.mentions.map((m) => [`${m.caption} ${m.entity}`, m.category && (spellings?.get(m.category) ?? m.category)]),
  );
  const triplets = new Map<string, Map<string, Said[]>>();
  record.phrases.forEach((graph, caption) => {
    for (const relation of graph.relations) {
      const subject = categories.get(`${caption} ${relation.subject}`);
      const object = categories.get(`${caption} ${relation.object}`);
      if (!subject || !object) {
        context.count('relations-without-category');
        continue;
      }
      context.count('relations-with-categories');
      const text = compat ? relation.predicate : textOf(relation);
      if (text === '') {
        context.count('relations-without-text');
        continue;
      }
      const byObject = triplets.get(subject) ?? new Map<string, Said[]>();
      triplets.set(subject, byObject);
      const texts = byObject.get(object) ?? [];
      byObject.set(object, texts);
      let said = texts.find((t) => t.text === text);
      if (!said) {
        said = { text, relations: [] };
        texts.push(said);
      }
      said.relations.push({ caption, relation });
    }
  });
  const counted = compat ? null : numberCounter(record);
  return new Map(
    [...triplets].map(([subject, byObject]) => [
      subject,
      new Map(
        [...byObject].map(([object, texts]) => [object, texts.map((said) => candidateText(said, counted))] as const),
      ),
    ]),
  );
}

/** A text with the relations of captions that say it. */
interface Said {
  readonly text: string;
  readonly relations: { readonly caption: number; readonly relation: TextRelation }[];
}

/** Returns the number of things that an entity of a caption stands for; undefined if its words leave it open. */
type NumberOf = (caption: number, entity: number) => number | undefined;

function candidateText({ text, relations }: Said, numberOf: NumberOf | null): CandidateText {
  const captions = [...new Set(relations.map(({ caption }) => caption))];
  if (!numberOf) return { text, captions };
  const most = (side: 'subject' | 'object') => {
    const totals = captions.map((caption) => {
      const entities = new Set(relations.flatMap((one) => (one.caption === caption ? one.relation[side] : [])));
      return [...entities].reduce<number>((sum, entity) => sum + (numberOf(caption, entity) ?? Number.NaN), 0);
    });
    return Math.max(...totals);
  };
  const [subjects, objects] = [most('subject'), most('object')];
  return {
    text,
    captions,
    ...(Number.isFinite(subjects) && { subjects }),
    ...(Number.isFinite(objects) && { objects }),
  };
}

/** Determiners of one thing, where the noun after them is in the singular. */
const ofOne = /(?:^|[^\p{L}\p{N}])(?:a|an|one|another|the|this|that|his|her|its|their|my)\s+$/iu;

/** The length of the text before a phrase in which its determiner is looked for. */
const maxDeterminer = 20;

function numberCounter({ phrases, captions = [] }: Parsed & Partial<Captioned>): NumberOf {
  return (caption, entity) => {
    const { quantity, head, lemma, span, start, end, attributes } = phrases[caption]!.entities[entity]!;
    if (quantity !== undefined) {
      const number = Number(digitsOf(quantity.toLowerCase()) ?? quantity);
      return Number.isSafeInteger(number) && number > 0 ? number : undefined;
    }
    const text = captions[caption]?.text ?? '';
    if (head !== lemma || text.slice(start, end) !== span) return undefined;
    // Attributes may be before the phrase or a part of it.
    const first = attributes
      .map((attribute) => text.lastIndexOf(attribute.text, start))
      .filter((at) => at >= start - 2 * maxDeterminer);
    return [start, ...first].some((at) => ofOne.test(text.slice(Math.max(0, at - maxDeterminer), at))) ? 1 : undefined;
  };
}

/** Returns the text of a candidate: the predicate, and `has` for an owner's `'s`. */
function textOf({ predicate }: TextRelation): string {
  return owning.has(predicate) ? 'has' : predicate.toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Predicates of owners: "the man's dog", "a man and his dog". */
const owning: ReadonlySet<string> = new Set(["'s", "'", 'his', 'her', 'its', 'their']);

function pairDetections(
  detections: readonly Detection[],
  triplets: Triplets,
  overlap: boolean,
  maxPairs: number,
  context: OperatorContext,
): CandidatePair[] {
  const byCategory = new Map<string, number[]>();
  detections.forEach(({ category }, index) => {
    addToList(byCategory, category, index);
  });
  // All boxes of a category have the same partners.
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
  const demands = subjects.map(({ others }) => others);
  const total = demands.reduce((sum, demand) => sum + demand, 0);
  const limits = total > maxPairs ? fairShares(maxPairs, demands) : null;
  if (limits) context.count('pairs-over-limit', total - maxPairs);
  const nearest = limits && nearestFinder(detections);
  const pairs: CandidatePair[] = [];
  subjects.forEach(({ subject, objects }, index) => {
    const byObject = triplets.get(detections[subject]!.category)!;
    for (const object of nearest ? nearest(subject, objects, limits[index]!) : objects) {
      if (object === subject) continue;
      // Pairs of the same categories share one array of texts, because records are immutable.
      pairs.push({ subject, object, texts: byObject.get(detections[object]!.category) as CandidateText[] });
    }
  });
  return pairs;
}

/** Divides `total` as evenly as possible, giving each subject at most its demand; among equal demands the first get the rest. */
function fairShares(total: number, demands: readonly number[]): number[] {
  const shares = demands.map(() => 0);
  let left = total;
  const smallestFirst = demands.map((demand, index) => ({ demand, index })).sort((a, b) => a.demand - b.demand);
  smallestFirst.forEach(({ demand, index }, before) => {
    shares[index] = Math.min(demand, Math.ceil(left / (demands.length - before)));
    left -= shares[index];
  });
  return shares;
}

/** Counts and explains triplets without a pair of boxes. */
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

/**
 * Returns a function that finds the `count` objects whose centers are nearest to a subject's, ties by index. The result is in
 * ascending order of index.
 */
function nearestFinder(detections: readonly Detection[]) {
  const x = Float64Array.from(detections, ({ box }) => box[0] + box[2] / 2);
  const y = Float64Array.from(detections, ({ box }) => box[1] + box[3] / 2);
  return (subject: number, objects: readonly number[], count: number): number[] => {
    // Kept sorted, because with 10,000 boxes `count` is small, and sorting all objects of all subjects takes minutes.
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
