import type { CompareCard, CompareDetail, ComparePage, Filter, ImageDetail, ImageKey } from '../view-api.js';
import { imageDetail, relationsOf } from './image-detail.js';
import { matchGraphs } from './match-graphs.js';
import { MatchingRows } from './matching-rows.js';
import type { SetIndex } from './set-index.js';
import type { ViewDatabase } from './view-database.js';

/** Images that are compared before their rows become visible. */
const BATCH = 500;
/** Predicates whose counts are listed. */
const PREDICATES = 100;

/** What two sets say about the same images. */
export class SetComparison {
  readonly here: SetIndex;
  readonly there: SetIndex;
  readonly #db: ViewDatabase;
  readonly #signal: AbortSignal;
  #done = false;
  /** Settles when all images were compared. */
  readonly completion: Promise<void>;

  /** @param signal ends the comparing */
  constructor(db: ViewDatabase, here: SetIndex, there: SetIndex, signal: AbortSignal) {
    this.#db = db;
    this.here = here;
    this.there = there;
    this.#signal = signal;
    this.completion = this.#compare().catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    // A request that needs the rows meets the same error.
    this.completion.catch(() => {});
  }

  /** Returns the images that match a filter of this set, those with the most differences first. */
  async page(filter: Filter, offset: number, limit: number): Promise<ComparePage> {
    const rows = new MatchingRows(this.here, filter);
    const columns = 'c.image, c.other, c.only_here, c.only_there, c.common';
    const from = `FROM compared c WHERE c.image IN (SELECT i.key ${rows.images()})`;
    const [cards, totals, predicates] = await Promise.all([
      this.#db.all<{ image: number; other: number; only_here: number; only_there: number; common: number }>(
        `SELECT ${columns} ${from} ORDER BY c.other >= 0 DESC, c.only_here + c.only_there DESC, c.image LIMIT ${limit} OFFSET ${offset}`,
        rows.parameters,
      ),
      this.#db.one<{ images: number; here: number; there: number; common: number; missing: number }>(
        `SELECT count(*) AS images, coalesce(sum(c.only_here), 0) AS here, coalesce(sum(c.only_there), 0) AS there, coalesce(sum(c.common), 0) AS common, count(*) FILTER (WHERE c.other < 0) AS missing ${from}`,
        rows.parameters,
      ),
      this.#predicates(),
    ]);
    const images: CompareCard[] = [];
    for (const { image: key, other, only_here, only_there, common } of cards) {
      const record = await this.here.record(key);
      if (!record) continue;
      const { id, file, width, height } = record.graph.image;
      const size = { id: String(id), file, width, height };
      images.push({ key, ...size, onlyHere: only_here, onlyThere: only_there, both: common, isInOther: other >= 0 });
    }
    return {
      images,
      total: totals.images,
      offset,
      totals: {
        onlyHere: totals.here,
        onlyThere: totals.there,
        both: totals.common,
        imagesOnlyHere: totals.missing,
        imagesOnlyThere: await this.#imagesOnlyThere(),
      },
      predicates,
      isPartial: !this.#done,
    };
  }

  /** Returns an image of this set with that of the other one; null if this set does not have it. */
  async detail(key: ImageKey, here: ImageDetail): Promise<CompareDetail | null> {
    const record = await this.here.record(key);
    if (!record) return null;
    const [row] = await this.#db.all<{ other: number }>(`SELECT other FROM compared WHERE image = ${key}`);
    const other = row === undefined || row.other < 0 ? null : await this.there.record(row.other);
    if (row === undefined || !other) {
      const nothing = record.graph.relations.map(() => null);
      return { here, there: null, hereToThere: nothing, thereToHere: [] };
    }
    const there = imageDetail(row.other, other, {
      threshold: this.there.set.threshold,
      relations: relationsOf(other.graph, () => ({ state: 'unreviewed' }), null),
      pictureProblem: here.pictureProblem,
    });
    return { here, there, ...matchGraphs(record.graph, other.graph) };
  }

  /** Compares all images, when both sets can be queried whole. */
  async #compare(): Promise<void> {
    await Promise.all([this.here.completion, this.there.completion]);
    // Images of two sets are the same if their files are; if the folders differ, the names of the files decide.
    await this.#db.run(
      `CREATE TABLE same AS WITH named AS (SELECT key, file, parse_filename(file) AS name FROM here.images), others AS (SELECT key, file, parse_filename(file) AS name FROM there.images)
      SELECT n.key AS image, coalesce(min(o.key) FILTER (WHERE o.file = n.file), CASE WHEN count(*) = 1 THEN min(o.key) END) AS other FROM named n JOIN others o ON o.name = n.name GROUP BY n.key`,
    );
    const { images } = this.here.progress;
    for (let from = 0; from < images; from += BATCH) {
      this.#signal.throwIfAborted();
      const keys = await this.#db.all<{ key: number; other: number | null }>(
        `SELECT i.key, s.other FROM here.images i LEFT JOIN same s ON s.image = i.key WHERE i.key >= ${from} AND i.key < ${from + BATCH} ORDER BY 1`,
      );
      const rows: string[] = [];
      for (const { key, other } of keys) {
        const [one, two] = await Promise.all([this.here.record(key), other === null ? null : this.there.record(other)]);
        if (!one) continue;
        const { length } = one.graph.relations;
        const both = two ? matchGraphs(one.graph, two.graph).hereToThere.filter((place) => place !== null).length : 0;
        const more = two ? two.graph.relations.length - both : 0;
        rows.push(`(${key}, ${two ? other : -1}, ${length - both}, ${more}, ${both})`);
      }
      if (rows.length > 0) await this.#db.run(`INSERT INTO compared VALUES ${rows.join(', ')}`);
    }
    this.#done = true;
  }

  async #imagesOnlyThere(): Promise<number> {
    if (!this.#done) return 0;
    const { count } = await this.#db.one<{ count: number }>(
      'SELECT count(*) AS count FROM there.images WHERE key NOT IN (SELECT other FROM same WHERE other IS NOT NULL)',
    );
    return count;
  }

  async #predicates(): Promise<ComparePage['predicates']> {
    const counts = new Map<string, { here: number; there: number }>();
    for (const side of ['here', 'there'] as const) {
      const { dictionaries } = this[side];
      const rows = await this.#db.all<{ value: number; count: number }>(
        `SELECT predicate AS value, count(*) AS count FROM ${side}.relations GROUP BY 1`,
      );
      for (const { value, count } of rows) {
        const predicate = dictionaries.predicate.text(value);
        const known = counts.get(predicate) ?? { here: 0, there: 0 };
        known[side] = count;
        counts.set(predicate, known);
      }
    }
    return [...counts]
      .map(([predicate, count]) => ({ predicate, ...count }))
      .sort((a, b) => Math.abs(b.here - b.there) - Math.abs(a.here - a.there) || (a.predicate < b.predicate ? -1 : 1))
      .slice(0, PREDICATES);
  }
}

/** The columns of the table that a comparison fills; `other` is -1 for an image that the other set does not have. */
export const COMPARED = 'image INTEGER, other INTEGER, only_here INTEGER, only_there INTEGER, common INTEGER';
