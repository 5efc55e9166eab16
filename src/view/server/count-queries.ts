import type { Charts, Count, Facets, Filter, Terms, TripletCount } from '../view-api.js';
import type { Dictionary } from './dictionary.js';
import type { FacetName } from './filter-sql.js';
import { MatchingRows } from './matching-rows.js';
import { REVIEW_STATES } from './query.js';
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

const FACETS = [
  'predicate',
  'subject',
  'object',
  'tagger',
  'source',
  'review',
  'dropped',
  'relations',
] as const satisfies readonly FacetName[];

const hasConstraint = (filter: Filter, facet: FacetName): boolean =>
  facet === 'relations'
    ? filter.minRelations !== undefined || filter.maxRelations !== undefined
    : filter[facet] !== undefined;

interface ValueRow {
  readonly value: number;
  readonly count: number;
}

type CountRows = Map<FacetName | 'totals', ValueRow[]>;

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
    const constrained = FACETS.filter((facet) => hasConstraint(filter, facet));
    // What all constraints leave is found once; each facet with a constraint of its own needs another set.
    const { minConfidence: _, maxConfidence: __, ...others } = filter;
    const [confidence, shared, ...own] = await Promise.all([
      this.#histogram(others),
      this.#counts(filter, undefined, [...FACETS.filter((facet) => !constrained.includes(facet)), 'totals']),
      ...constrained.map((facet) => this.#counts(filter, facet, [facet])),
    ]);
    const counts = new Map([...shared, ...own.flatMap((rows) => [...rows])]);
    const rowsOf = (facet: FacetName | 'totals') => counts.get(facet) ?? [];
    const { predicate, category, source, tagger, reason } = this.#index.dictionaries;
    const [images = 0, relations = 0] = filled(rowsOf('totals'), 2);
    const top = (facet: FacetName, dictionary: Dictionary) => sorted(rowsOf(facet), dictionary).slice(0, FACET_VALUES);
    const perImage = rowsOf('relations');
    return {
      images,
      relations,
      predicate: top('predicate', predicate),
      subject: top('subject', category),
      object: top('object', category),
      tagger: top('tagger', tagger),
      source: top('source', source),
      review: rowsOf('review')
        .map(({ value, count }) => ({ value: REVIEW_STATES[value] as string, count }))
        .sort((a, b) => b.count - a.count),
      dropped: top('dropped', reason),
      relationsPerImage: filled(perImage, Math.max(0, ...perImage.map(({ value }) => value)) + 1),
      confidence,
      isPartial,
    };
  }

  /** Counts the values of facets among what matches, with one look at the rows. */
  async #counts(
    filter: Filter,
    omit: FacetName | undefined,
    facets: readonly (FacetName | 'totals')[],
  ): Promise<CountRows> {
    const rows = new MatchingRows(this.#index, filter, omit);
    const columns = 'r.image, r.place, r.predicate, r.subject, r.object, r.tagger, r.source';
    const parts: string[] = [];
    const part = (facet: string, value: string, from: string) =>
      parts.push(`SELECT '${facet}' AS facet, CAST(${value} AS INTEGER) AS value, count(*) AS count FROM ${from}`);
    for (const facet of facets) {
      if (facet === 'totals') {
        part(facet, '0', 'i');
        part(facet, '1', 'm');
      } else if (facet === 'relations') part(facet, `least(relations, ${MOST_RELATIONS})`, 'i GROUP BY 2');
      else if (facet === 'dropped')
        part(facet, 'reason', `${this.#index.alias}.dropped WHERE image IN (SELECT key FROM i) GROUP BY 2`);
      else if (facet === 'review') {
        const states = REVIEW_STATES.map((state, number) => `WHEN '${state}' THEN ${number}`).join(' ');
        const reviewed = '(SELECT image, place FROM reviews)';
        part(facet, `CASE state ${states} END`, 'reviews JOIN m USING (image, place) GROUP BY 2');
        part(facet, '0', `m WHERE (image, place) NOT IN ${reviewed} HAVING count(*) > 0`);
      } else part(facet, facet, 'm GROUP BY 2');
    }
    const found = await this.#db.all<ValueRow & { facet: FacetName | 'totals' }>(
      `WITH m AS (SELECT ${columns} ${rows.relations()}), i AS (SELECT i.key, i.relations ${rows.images('m')}) ${parts.join(' UNION ALL ')}`,
      rows.parameters,
    );
    const byFacet: CountRows = new Map(facets.map((facet) => [facet, []]));
    for (const { facet, ...row } of found) byFacet.get(facet)?.push(row);
    return byFacet;
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

  async #histogram(filter: Filter): Promise<number[]> {
    const rows = new MatchingRows(this.#index, filter);
    const counts = await this.#db.all<ValueRow>(
      `SELECT least(${BINS - 1}, CAST(floor(r.confidence * ${BINS}) AS INTEGER)) AS value, count(*) AS count ${rows.relations('r.is_scored')} GROUP BY 1`,
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
