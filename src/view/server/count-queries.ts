import type { Charts, Count, Facets, Filter, Terms, TripletCount } from '../view-api.js';
import type { Dictionary } from './dictionary.js';
import type { FacetName } from './filter-sql.js';
import { MatchingRows } from './matching-rows.js';
import type { SetIndex } from './set-index.js';
import type { ViewDatabase } from './view-database.js';

/** Values of a facet that are listed; completion finds the others. */
const FACET_VALUES = 200;
const CHART_PREDICATES = 1000;
const CHART_TRIPLETS = 200;
/** Bins of the histogram of confidences. */
const BINS = 20;
/** Images with this number of relations or more are counted together. */
const MOST_RELATIONS = 30;

interface ValueRow {
  readonly value: number;
  readonly count: number;
}

/** Counts of what a filter matches. */
export class CountQueries {
  readonly #db: ViewDatabase;
  readonly #index: SetIndex;

  constructor(db: ViewDatabase, index: SetIndex) {
    this.#db = db;
    this.#index = index;
  }

  /** @throws OptionError when the filter's expression is wrong */
  async facets(filter: Filter): Promise<Facets> {
    const isPartial = !this.#index.progress.done;
    const { predicate, category, source, tagger } = this.#index.dictionaries;
    const [totals, predicates, subjects, objects, taggers, sources, review, dropped, relationsPerImage] =
      await Promise.all([
        this.totals(filter),
        this.#values(filter, 'predicate', predicate),
        this.#values(filter, 'subject', category),
        this.#values(filter, 'object', category),
        this.#values(filter, 'tagger', tagger),
        this.#values(filter, 'source', source),
        this.#reviews(filter),
        this.#dropped(filter),
        this.#relationsPerImage(filter),
      ]);
    return {
      ...totals,
      predicate: predicates.slice(0, FACET_VALUES),
      subject: subjects.slice(0, FACET_VALUES),
      object: objects.slice(0, FACET_VALUES),
      tagger: taggers,
      source: sources,
      review,
      dropped,
      relationsPerImage,
      isPartial,
    };
  }

  /** Counts the images and relations that match. */
  async totals(filter: Filter): Promise<{ images: number; relations: number }> {
    const images = new MatchingRows(this.#index, filter);
    const relations = new MatchingRows(this.#index, filter);
    const [image, relation] = await Promise.all([
      this.#db.one<{ count: number }>(`SELECT count(*) AS count ${images.images()}`, images.parameters),
      this.#db.one<{ count: number }>(`SELECT count(*) AS count ${relations.relations()}`, relations.parameters),
    ]);
    return { images: image.count, relations: relation.count };
  }

  async charts(filter: Filter): Promise<Charts> {
    const isPartial = !this.#index.progress.done;
    const [predicates, confidence, triplets] = await Promise.all([
      this.#values(filter, null, this.#index.dictionaries.predicate),
      this.#histogram(filter),
      this.#triplets(filter),
    ]);
    return {
      predicates: predicates.slice(0, CHART_PREDICATES),
      predicateCount: predicates.length,
      confidence,
      ...triplets,
      isPartial,
    };
  }

  /** Returns values of a field that contain a text, those that begin with it first. */
  async terms(field: 'predicate' | 'subject' | 'object', text: string, limit: number): Promise<Terms> {
    const { predicate, category } = this.#index.dictionaries;
    const values = await this.#values({}, field, field === 'predicate' ? predicate : category);
    const wanted = text.toLowerCase();
    const found = values.filter(({ value }) => value.toLowerCase().includes(wanted));
    const begins = ({ value }: Count) => value.toLowerCase().startsWith(wanted);
    return { terms: [...found.filter(begins), ...found.filter((count) => !begins(count))].slice(0, limit) };
  }

  /** Counts relations by value. @param facet the field, whose own constraint is left out; null for predicates under all constraints */
  async #values(filter: Filter, facet: FacetName | null, dictionary: Dictionary): Promise<Count[]> {
    const rows = new MatchingRows(this.#index, filter, facet ?? undefined);
    const counts = await this.#db.all<ValueRow>(
      `SELECT r.${facet ?? 'predicate'} AS value, count(*) AS count ${rows.relations()} GROUP BY 1`,
      rows.parameters,
    );
    return sorted(counts, dictionary);
  }

  async #reviews(filter: Filter): Promise<Count[]> {
    const all = new MatchingRows(this.#index, filter, 'review');
    const reviewed = new MatchingRows(this.#index, filter, 'review');
    const [{ count }, states] = await Promise.all([
      this.#db.one<{ count: number }>(`SELECT count(*) AS count ${all.relations()}`, all.parameters),
      this.#db.all<{ value: string; count: number }>(
        `SELECT v.state AS value, count(*) AS count FROM reviews v JOIN (SELECT r.image, r.place ${reviewed.relations()}) m ON m.image = v.image AND m.place = v.place GROUP BY 1 ORDER BY 2 DESC, 1`,
        reviewed.parameters,
      ),
    ]);
    const unreviewed = count - states.reduce((sum, state) => sum + state.count, 0);
    return [...(unreviewed > 0 ? [{ value: 'unreviewed', count: unreviewed }] : []), ...states];
  }

  async #dropped(filter: Filter): Promise<Count[]> {
    const { alias, dictionaries } = this.#index;
    const rows = new MatchingRows(this.#index, filter, 'dropped');
    const counts = await this.#db.all<ValueRow>(
      `SELECT d.reason AS value, count(*) AS count FROM ${alias}.dropped d WHERE d.image IN (SELECT i.key ${rows.images()}) GROUP BY 1`,
      rows.parameters,
    );
    return sorted(counts, dictionaries.reason);
  }

  async #relationsPerImage(filter: Filter): Promise<number[]> {
    const { minRelations: _, maxRelations: __, ...others } = filter;
    const rows = new MatchingRows(this.#index, others);
    const counts = await this.#db.all<ValueRow>(
      `SELECT least(i.relations, ${MOST_RELATIONS}) AS value, count(*) AS count ${rows.images()} GROUP BY 1`,
      rows.parameters,
    );
    return filled(counts, Math.max(0, ...counts.map(({ value }) => value)) + 1);
  }

  async #histogram(filter: Filter): Promise<number[]> {
    const rows = new MatchingRows(this.#index, filter);
    const from = rows.relations();
    const counts = await this.#db.all<ValueRow>(
      `SELECT least(${BINS - 1}, CAST(floor(r.confidence * ${BINS}) AS INTEGER)) AS value, count(*) AS count ${from} ${from.includes(' WHERE ') ? 'AND' : 'WHERE'} r.is_scored GROUP BY 1`,
      rows.parameters,
    );
    return filled(counts, BINS);
  }

  async #triplets(filter: Filter): Promise<Pick<Charts, 'triplets' | 'tripletCount'>> {
    const rows = new MatchingRows(this.#index, filter);
    const { predicate, category } = this.#index.dictionaries;
    const counts = await this.#db.all<{ s: number; p: number; o: number; count: number; total: number }>(
      `SELECT *, count(*) OVER () AS total FROM (SELECT r.subject AS s, r.predicate AS p, r.object AS o, count(*) AS count ${rows.relations()} GROUP BY 1, 2, 3) ORDER BY count DESC, s, p, o LIMIT ${CHART_TRIPLETS}`,
      rows.parameters,
    );
    const triplets: TripletCount[] = counts.map(({ s, p, o, count }) => ({
      subject: category.text(s),
      predicate: predicate.text(p),
      object: category.text(o),
      count,
    }));
    return { triplets, tripletCount: counts[0]?.total ?? 0 };
  }
}

/** The most frequent value first, then in the order of the alphabet. */
function sorted(rows: readonly ValueRow[], dictionary: Dictionary): Count[] {
  const counts = rows.map(({ value, count }) => ({ value: dictionary.text(value), count }));
  return counts.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}

function filled(rows: readonly ValueRow[], length: number): number[] {
  const counts = new Array<number>(length).fill(0);
  for (const { value, count } of rows) counts[value] = count;
  return counts;
}
