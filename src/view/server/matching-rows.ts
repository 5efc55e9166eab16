import type { Filter, ImageSort } from '../view-api.js';
import { type FacetName, type FilterSql, filterSql } from './filter-sql.js';
import type { SetIndex } from './set-index.js';
import { Parameters } from './view-database.js';

/** The rows that match a filter, as parts of statements. */
export class MatchingRows {
  readonly parameters = new Parameters();
  readonly #conditions: FilterSql;
  readonly #index: SetIndex;

  /** @throws OptionError when the filter's expression is wrong */
  constructor(index: SetIndex, filter: Filter, omit?: FacetName) {
    this.#index = index;
    this.#conditions = filterSql(index, filter, this.parameters, omit);
  }

  /** `FROM … WHERE …` of the relations that match, and for which further conditions hold, as `r`. */
  relations(...further: readonly string[]): string {
    const conditions = [...this.#conditions.relation, ...this.#conditions.image, ...further];
    const join = conditions.some((condition) => /\bi\./.test(condition))
      ? ` JOIN ${this.#index.alias}.images i ON i.key = r.image`
      : '';
    return `FROM ${this.#index.relationRows} r${join}${where(conditions)}`;
  }

  /**
   * `FROM … WHERE …` of the images that match, as `i`.
   * @param relations a table of the statement that has the relations that match; omit it if there is none
   */
  images(relations?: string): string {
    const conditions = [...this.#conditions.image];
    if (this.#conditions.relation.length > 0)
      conditions.push(
        `i.key IN (SELECT ${relations === undefined ? `r.image ${this.relations()}` : `image FROM ${relations}`})`,
      );
    return `FROM ${this.#index.alias}.images i${where(conditions)}`;
  }

  /**
   * A statement that selects `key`, `matching` and what an order needs, for each image that matches.
   */
  ranked(sort: ImageSort): string {
    const hasRelationConditions = this.#conditions.relation.length > 0;
    if (!hasRelationConditions && !sort.startsWith('confidence'))
      return `SELECT i.key, i.relations AS matching, i.relations, i.file ${this.images()}`;
    const matches = `SELECT r.image, count(*) AS matching, min(r.confidence) AS low, max(r.confidence) AS high ${this.relations()} GROUP BY r.image`;
    const columns = 'i.key, coalesce(m.matching, 0) AS matching, i.relations, i.file, m.low, m.high';
    const join = hasRelationConditions ? 'JOIN' : 'LEFT JOIN';
    return `SELECT ${columns} FROM ${this.#index.alias}.images i ${join} (${matches}) m ON m.image = i.key${where(this.#conditions.image)}`;
  }
}

const where = (conditions: readonly string[]) => (conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`);

/** The order of the rows of `ranked`. */
export const ORDERS: Readonly<Record<ImageSort, string>> = {
  set: 'key',
  'relations-most': 'relations DESC, key',
  'relations-fewest': 'relations, key',
  'confidence-lowest': 'low NULLS LAST, key',
  'confidence-highest': 'high DESC NULLS LAST, key',
  file: 'file, key',
};
