import { judgmentLines, judgmentRow } from '../../evaluation/judging/sample-relations.js';
import { bootstrapShare, type UnitCounts } from '../../evaluation/statistics/intervals.js';
import type { RelationJudgment } from '../../records/relation-judgment.js';
import type { SceneGraph } from '../../records/scene-graph.js';
import type { Alike, Queue, QueueItem, QueueOrder } from '../review-api.js';
import { type ReviewedItem, relationKey } from '../reviews/image-reviews.js';
import type { Filter, ImageKey, ReviewState, TripletNames } from '../view-api.js';
import { MatchingRows } from './matching-rows.js';
import type { Query } from './query.js';
import type { ReviewDesk } from './review-desk.js';
import type { SetIndex } from './set-index.js';
import type { ViewDatabase } from './view-database.js';

/** What is judged, in which order. */
export interface QueueOptions {
  readonly order: QueueOrder;
  readonly seed: number;
  /** Number of images that are drawn, for `random`. */
  readonly images: number;
}

/** The most images that a sample draws. */
const MOST_IMAGES = 10_000;
/** The most relations that are judged at once. */
const MOST_ALIKE = 2000;

/**
 * Reads the options of a queue from a request.
 * @throws OptionError when one is out of range
 */
export function readQueue(query: Query): QueueOptions {
  return {
    order: query.choice('order', ['random', 'uncertain'], 'random'),
    seed: query.integer('seed', 0, Number.MAX_SAFE_INTEGER) ?? 1,
    images: query.integer('images', 1, MOST_IMAGES) ?? 40,
  };
}

interface Place {
  readonly image: number;
  readonly place: number;
  readonly state: ReviewState | null;
}

const OF_PEOPLE = "(SELECT image, place, state FROM reviews WHERE state <> 'added')";

/** Condition on relations `r` of some images, at least one. */
const isIn = (keys: readonly ImageKey[]): string => `r.image IN (${keys.join(', ')})`;

/** Relations in the order in which people judge them, with what the judgments say. */
export class JudgeQueue {
  readonly #db: ViewDatabase;
  readonly #index: SetIndex;
  readonly #desk: ReviewDesk;

  constructor(db: ViewDatabase, index: SetIndex, desk: ReviewDesk) {
    this.#db = db;
    this.#index = index;
    this.#desk = desk;
  }

  /** @throws OptionError when the filter's expression is wrong */
  async queue(filter: Filter, options: QueueOptions, offset: number, limit: number): Promise<Queue> {
    const isRandom = options.order === 'random';
    const queue = isRandom ? await this.#random(filter, options) : await this.#uncertain(filter, offset, limit);
    const items: QueueItem[] = [];
    for (const { image, place, state } of isRandom ? queue.places.slice(offset, offset + limit) : queue.places) {
      const record = await this.#index.record(image);
      if (record) items.push(itemOf(record.graph, image, place, state ?? 'unreviewed'));
    }
    const { reviewed, total, firstOpen } = queue;
    const judged = reviewed.filter(({ state }) => verdictOf(state) !== null);
    return {
      items,
      offset,
      total,
      firstOpen,
      progress: {
        judged: judged.length,
        unsure: reviewed.filter(({ state }) => state === 'unsure').length,
        images: queue.images,
        imagesDone: queue.imagesDone,
      },
      precision: bootstrapShare(unitsOf(judged)),
      isRepresentative: isRandom,
    };
  }

  /**
   * Returns the lines of the file that `relflow evaluate judged` reads: all relations of a random sample, those judged of others.
   * Relations without an object have no row.
   */
  async csv(filter: Filter, options: QueueOptions): Promise<{ lines: string[]; withoutObject: number }> {
    const isRandom = options.order === 'random';
    const places = isRandom
      ? (await this.#random(filter, options)).places
      : (await this.#uncertain(filter, 0, 0)).reviewed;
    const rows: RelationJudgment[] = [];
    let withoutObject = 0;
    for (const { image, place } of places) {
      const record = await this.#index.record(image);
      const relation = record?.graph.relations[place];
      if (!record || !relation) continue;
      const { object, ...rest } = relation;
      if (object === null) {
        withoutObject++;
        continue;
      }
      const row = judgmentRow(record.graph, { ...rest, object }, rows.length + 1);
      const item = this.#desk.reviewsOf(record.graph).items.find((one) => one.places.includes(place));
      rows.push({ ...row, ...(item && verdictsOf(item)) });
    }
    // What holds for its boxes has the right boxes. Where rejections do not say that of theirs, the share of yes would always be one.
    const isMatchAnswered = rows.every(({ pair, match }) => pair !== 'no' || match !== undefined);
    const answered = rows.map((row) =>
      isMatchAnswered && row.pair === 'yes' ? { ...row, match: 'yes' as const } : row,
    );
    return { lines: judgmentLines(answered), withoutObject };
  }

  /**
   * Returns the relations of a queue that have the names of one of them.
   * @returns null if the image has no such relation
   */
  async alike(filter: Filter, options: QueueOptions, image: ImageKey, place: number): Promise<Alike | null> {
    const record = await this.#index.record(image);
    const names = record && namesOf(record.graph, place);
    if (!names) return null;
    const { category, predicate } = this.#index.dictionaries;
    const ids = [category.find(names.subject), predicate.find(names.predicate), category.find(names.object)];
    const [subject = -1, verb = -1, object = -1] = ids;
    const conditions = [`r.subject = ${subject}`, `r.predicate = ${verb}`, `r.object = ${object}`];
    if (options.order === 'random') {
      const keys = await this.#drawn(filter, options);
      conditions.push(keys.length === 0 ? 'false' : isIn(keys));
    } else conditions.push('r.is_scored');
    const found = await this.#placesOf(filter, ...conditions);
    const open = found.filter(({ state }) => state === null);
    const relations = new Map<string, Alike['relations'][number]>();
    for (const one of open) {
      const { graph } = (await this.#index.record(one.image)) ?? {};
      const found = graph?.relations[one.place];
      if (!found) continue;
      const relation = { subject: found.subject, predicate: found.predicate, object: found.object };
      relations.set(`${one.image} ${relationKey(relation)}`, { image: one.image, place: one.place, relation });
      if (relations.size === MOST_ALIKE) break;
    }
    return {
      relations: [...relations.values()],
      open: open.length,
      images: new Set(open.map((one) => one.image)).size,
      judged: found.length - open.length,
    };
  }

  /** Draws images as `relflow sample` does, and takes all of their relations that match, in the order of the set. */
  async #random(filter: Filter, options: QueueOptions) {
    const keys = await this.#drawn(filter, options);
    const places = keys.length === 0 ? [] : await this.#placesOf(filter, isIn(keys));
    const open = places.findIndex(({ state }) => state === null);
    const withItems = new Set(places.map(({ image }) => image));
    const unfinished = new Set(places.flatMap(({ image, state }) => (state === null ? [image] : [])));
    return {
      places,
      reviewed: places.filter(isReviewed),
      total: places.length,
      firstOpen: open === -1 ? places.length : open,
      images: withItems.size,
      imagesDone: withItems.size - unfinished.size,
    };
  }

  async #drawn(filter: Filter, { seed, images }: QueueOptions): Promise<ImageKey[]> {
    const rows = new MatchingRows(this.#index, filter);
    const { parameters } = rows;
    const from = rows.images();
    const names = this.#index.dictionaries.dataset.texts.map((text) => parameters.add(text));
    const dataset = names.length === 0 ? "''" : `[${names.join(', ')}][i.dataset + 1]`;
    const lot = `substr(sha256(concat(${parameters.add(String(seed))}, chr(10), ${dataset}, chr(10), i.id)), 1, 12)`;
    const drawn = await this.#db.all<{ key: number }>(
      `SELECT i.key ${from} ORDER BY ${lot}, i.key LIMIT ${images}`,
      parameters,
    );
    return drawn.map(({ key }) => key);
  }

  /** Returns the relations that match, and for which further conditions hold, in the order of the set. */
  async #placesOf(filter: Filter, ...further: readonly string[]): Promise<Place[]> {
    const rows = new MatchingRows(this.#index, filter);
    return this.#db.all<Place>(
      `SELECT m.image, m.place, v.state FROM (SELECT r.image, r.place ${rows.relations(...further)}) m LEFT JOIN ${OF_PEOPLE} v ON v.image = m.image AND v.place = m.place WHERE ${this.#isOfSet('m')} ORDER BY 1, 2`,
      rows.parameters,
    );
  }

  /** Takes the scored relations whose confidence is nearest to one half first. */
  async #uncertain(filter: Filter, offset: number, limit: number) {
    const select = async (what: string, rest: string): Promise<Place[]> => {
      const rows = new MatchingRows(this.#index, filter);
      return this.#db.all<Place>(
        `SELECT ${what} FROM (SELECT r.image, r.place, r.is_scored, abs(r.confidence - 0.5) AS distance ${rows.relations()}) m LEFT JOIN ${OF_PEOPLE} v ON v.image = m.image AND v.place = m.place WHERE m.is_scored ${rest}`,
        rows.parameters,
      );
    };
    const order = 'ORDER BY m.distance, m.image, m.place';
    const columns = 'm.image, m.place, v.state';
    const [places, reviewed, [count]] = await Promise.all([
      select(columns, `${order} LIMIT ${limit} OFFSET ${offset}`),
      select(columns, `AND v.state IS NOT NULL ${order}`),
      select('count(*) AS image, count(DISTINCT m.image) AS place, NULL AS state', ''),
    ]);
    // The first place without a judgment is within the first ones, one more than there are judgments.
    const start = await select(columns, `${order} LIMIT ${reviewed.length + 1}`);
    const open = start.findIndex(({ state }) => state === null);
    const total = count?.image ?? 0;
    return {
      places,
      reviewed: reviewed.filter(isReviewed),
      total,
      firstOpen: open === -1 ? total : open,
      images: count?.place ?? 0,
      imagesDone: new Set(reviewed.map(({ image }) => image)).size,
    };
  }

  /** A relation that people drew has a place after those of the set. */
  #isOfSet(row: string): string {
    return this.#index.hasDrawn ? `(${row}.image, ${row}.place) NOT IN (SELECT image, place FROM drawn)` : 'true';
  }
}

interface ReviewedPlace extends Place {
  readonly state: ReviewState;
}

const isReviewed = (place: Place): place is ReviewedPlace => place.state !== null;

/** Whether a relation holds, as people said; null if they cannot tell. A changed one did not hold as it was. */
function verdictOf(state: ReviewState): boolean | null {
  if (state === 'approved') return true;
  return state === 'rejected' || state === 'changed' ? false : null;
}

function unitsOf(places: readonly ReviewedPlace[]): UnitCounts[] {
  const units = new Map<number, { count: number; of: number }>();
  for (const { image, state } of places) {
    const unit = units.get(image) ?? { count: 0, of: 0 };
    if (verdictOf(state)) unit.count++;
    unit.of++;
    units.set(image, unit);
  }
  return [...units.values()];
}

/** The verdicts of a row. What holds for these boxes holds in the image. */
function verdictsOf({ review, last }: ReviewedItem): Pick<RelationJudgment, 'match' | 'triplet' | 'pair'> {
  if (review.state === 'approved') return { triplet: 'yes', pair: 'yes' };
  if (review.state === 'unsure') return { pair: '?' };
  const { match, triplet } = last.what.action === 'reject' ? last.what : {};
  return { pair: 'no', ...(match && { match }), ...(triplet && { triplet }) };
}

/** Returns the names of a relation in the set; null if the image does not have it. */
function namesOf({ objects, relations }: SceneGraph, place: number): TripletNames | null {
  const relation = relations[place];
  if (!relation) return null;
  const { subject, predicate, object } = relation;
  return { subject: objects[subject]?.category ?? '', predicate, object: objects[object ?? -1]?.category ?? '' };
}

function itemOf(graph: SceneGraph, image: number, place: number, state: ReviewState): QueueItem {
  const names = namesOf(graph, place) ?? { subject: '', predicate: '', object: '' };
  return { image, relation: place, ...names, confidence: graph.relations[place]?.confidence ?? null, state };
}
