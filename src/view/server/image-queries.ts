import { addToList } from '../../records/add-to-list.js';
import type { SceneGraph } from '../../records/scene-graph.js';
import type { Filter, ImageCard, ImageKey, ImagePage, ImageRelation, ImageSort } from '../view-api.js';
import { MatchingRows, ORDERS } from './matching-rows.js';
import type { ReviewDesk } from './review-desk.js';
import type { SetIndex } from './set-index.js';
import type { ViewDatabase } from './view-database.js';

/** Relations that a card shows. */
const SAMPLE = 3;

/** Pages of images, and the neighbors of an image. */
export class ImageQueries {
  readonly #db: ViewDatabase;
  readonly #index: SetIndex;
  readonly #desk: ReviewDesk;

  constructor(db: ViewDatabase, index: SetIndex, desk: ReviewDesk) {
    this.#db = db;
    this.#index = index;
    this.#desk = desk;
  }

  /** @throws OptionError when the filter's expression is wrong */
  async page(filter: Filter, sort: ImageSort, offset: number, limit: number): Promise<ImagePage> {
    const isPartial = !this.#index.progress.done;
    const rows = new MatchingRows(this.#index, filter);
    const [keys, { count }] = await Promise.all([
      this.#db.all<{ key: number; matching: number }>(
        `SELECT key, matching FROM (${rows.ranked(sort)}) ORDER BY ${ORDERS[sort]} LIMIT ${limit} OFFSET ${offset}`,
        rows.parameters,
      ),
      this.#db.one<{ count: number }>(`SELECT count(*) AS count ${rows.images()}`, rows.parameters),
    ]);
    const places = await this.matchingPlaces(
      filter,
      keys.map(({ key }) => key),
    );
    const cards: ImageCard[] = [];
    for (const { key, matching } of keys) {
      const record = await this.#index.record(key);
      if (record)
        cards.push(cardOf(key, record.graph, matching, places.get(key) ?? [], this.#desk.relationsOf(record.graph)));
    }
    return { images: cards, total: count, offset, isPartial };
  }

  /** Returns the positions of the relations that match, by image. */
  async matchingPlaces(filter: Filter, keys: readonly ImageKey[]): Promise<Map<ImageKey, number[]>> {
    const places = new Map<ImageKey, number[]>();
    if (keys.length === 0) return places;
    const rows = new MatchingRows(this.#index, filter);
    const found = await this.#db.all<{ image: number; place: number }>(
      `SELECT r.image, r.place ${rows.relations(`r.image IN (${keys.join(', ')})`)} ORDER BY 1, 2`,
      rows.parameters,
    );
    for (const { image, place } of found) {
      addToList(places, image, place);
    }
    return places;
  }

  /** Returns the images before and after one in an order, among those that match. */
  async neighbors(
    key: ImageKey,
    filter: Filter,
    sort: ImageSort,
  ): Promise<{ previous: ImageKey | null; next: ImageKey | null }> {
    const rows = new MatchingRows(this.#index, filter);
    const ranked = rows.ranked(sort);
    if (sort === 'set')
      return this.#db.one(
        `SELECT max(key) FILTER (WHERE key < ${key}) AS previous, min(key) FILTER (WHERE key > ${key}) AS next FROM (${ranked})`,
        rows.parameters,
      );
    const [found] = await this.#db.all<{ previous: number | null; next: number | null }>(
      `SELECT previous, next FROM (SELECT key, lag(key) OVER w AS previous, lead(key) OVER w AS next FROM (${ranked}) WINDOW w AS (ORDER BY ${ORDERS[sort]})) WHERE key = ${key}`,
      rows.parameters,
    );
    return found ?? { previous: null, next: null };
  }
}

function cardOf(
  key: ImageKey,
  graph: SceneGraph,
  matching: number,
  places: readonly number[],
  relations: readonly ImageRelation[],
): ImageCard {
  const { image, objects } = graph;
  return {
    key,
    id: String(image.id),
    file: image.file,
    width: image.width,
    height: image.height,
    objects: objects.length,
    relations: graph.relations.length,
    matching,
    sample: places.slice(0, SAMPLE).flatMap((place) => {
      const relation = relations[place];
      return relation ? [sampleOf(graph, relation)] : [];
    }),
    reviewed: relations.filter(({ review }) => review.state !== 'unreviewed').length,
  };
}

function sampleOf({ objects }: SceneGraph, relation: ImageRelation): ImageCard['sample'][number] {
  const [subject, object] = [objects[relation.subject], objects[relation.object ?? -1]];
  return {
    subject: subject?.category ?? '',
    predicate: relation.predicate,
    object: object?.category ?? '',
    confidence: relation.confidence,
    ...(subject && { subjectBox: subject.box }),
    ...(object && { objectBox: object.box }),
  };
}
