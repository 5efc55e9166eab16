import { OptionError } from '../../errors.js';
import {
  type FieldExpression,
  parseRelationExpression,
  type RelationExpression,
  valueTest,
} from '../../sinks/relation-expression.js';
import type { Filter } from '../view-api.js';
import { wordsOf } from './caption-words.js';
import type { DictionaryName, SetIndex } from './set-index.js';
import type { Parameters } from './view-database.js';

/** Conditions on `r`, a row of relations, and on `i`, the row of its image; empty if there is no constraint. */
export interface FilterSql {
  readonly relation: readonly string[];
  readonly image: readonly string[];
}

/** The facets of a filter, whose counts leave their own constraint out. */
export type FacetName = 'predicate' | 'subject' | 'object' | 'tagger' | 'source' | 'review' | 'dropped' | 'relations';

/** The columns of fields whose values are numbers of texts, with their dictionaries. */
const TEXT_COLUMNS: Readonly<Record<string, readonly [column: string, dictionary: DictionaryName]>> = {
  predicate: ['r.predicate', 'predicate'],
  subject: ['r.subject', 'category'],
  object: ['r.object', 'category'],
  source: ['r.source', 'source'],
  tagger: ['r.tagger', 'tagger'],
  dataset: ['i.dataset', 'dataset'],
  split: ['i.split', 'split'],
};

/** The columns of other fields. */
const COLUMNS: Readonly<Record<string, string>> = {
  confidence: 'r.confidence',
  subject_score: 'r.subject_score',
  object_score: 'r.object_score',
  image: 'i.id',
  file: 'i.file',
  width: 'i.width',
  height: 'i.height',
  objects: 'i.objects',
  relations: 'i.relations',
};

/**
 * Makes the conditions of a filter.
 * @param parameters receives the values
 * @param omit a facet whose constraint is left out
 * @throws OptionError when the expression is wrong
 */
export function filterSql(
  { dictionaries, alias }: SetIndex,
  filter: Filter,
  parameters: Parameters,
  omit?: FacetName,
): FilterSql {
  const relation: string[] = [];
  const image: string[] = [];
  for (const name of ['predicate', 'subject', 'object', 'tagger', 'source'] as const) {
    const values = filter[name];
    if (values === undefined || omit === name) continue;
    const [column, dictionary] = TEXT_COLUMNS[name]!;
    const ids = (values as readonly string[]).map((value) => dictionaries[dictionary].find(value) ?? -1);
    relation.push(inList(column, ids));
  }
  if (filter.minConfidence !== undefined) relation.push(`r.confidence >= ${parameters.add(filter.minConfidence)}`);
  if (filter.maxConfidence !== undefined) relation.push(`r.confidence <= ${parameters.add(filter.maxConfidence)}`);
  if (filter.where !== undefined) {
    const expression = parseRelationExpression(filter.where, 'where');
    relation.push(expressionSql(expression, dictionaries, parameters));
  }
  if (filter.review !== undefined && omit !== 'review') relation.push(reviewSql(filter.review));
  if (omit !== 'relations') {
    const { minRelations, maxRelations } = filter;
    if (minRelations !== undefined) image.push(`i.relations >= ${parameters.add(minRelations)}`);
    if (maxRelations !== undefined) image.push(`i.relations <= ${parameters.add(maxRelations)}`);
  }
  if (filter.words !== undefined) image.push(...wordConditions(filter.words, parameters));
  if (filter.dropped !== undefined && omit !== 'dropped') {
    const ids = filter.dropped.map((value) => dictionaries.reason.find(value) ?? -1);
    image.push(`i.key IN (SELECT image FROM ${alias}.dropped WHERE ${inList('reason', ids)})`);
  }
  return { relation, image };
}

function inList(column: string, ids: readonly number[]): string {
  return ids.length === 0 ? 'false' : `${column} IN (${ids.join(', ')})`;
}

/** What people said is in a table of its own, which only has the relations that they said something about. */
function reviewSql(states: readonly string[]): string {
  const named = states.filter((state) => state !== 'unreviewed');
  const list = named.map((state) => `'${state}'`).join(', ');
  const conditions: string[] = [];
  if (states.includes('unreviewed')) conditions.push('(r.image, r.place) NOT IN (SELECT image, place FROM reviews)');
  if (named.length > 0)
    conditions.push(`(r.image, r.place) IN (SELECT image, place FROM reviews WHERE state IN (${list}))`);
  return `(${conditions.join(' OR ')})`;
}

/** The last word may be incomplete, unless something follows it. */
function wordConditions(text: string, parameters: Parameters): string[] {
  const words = wordsOf(text);
  if (words.length === 0) throw new OptionError('words', `'${text}' has no word`);
  const isComplete = /[^\p{L}\p{N}]$/u.test(text);
  return words.map((word, index) => {
    const part = index < words.length - 1 || isComplete ? ` ${word} ` : ` ${word}`;
    return `contains(i.captions, ${parameters.add(part)})`;
  });
}

function expressionSql(
  expression: RelationExpression,
  dictionaries: SetIndex['dictionaries'],
  parameters: Parameters,
): string {
  switch (expression.kind) {
    case 'and':
    case 'or': {
      const [left, right] = [expression.left, expression.right].map((side) =>
        expressionSql(side, dictionaries, parameters),
      );
      return `(${left} ${expression.kind.toUpperCase()} ${right})`;
    }
    case 'not':
      return `NOT ${expressionSql(expression.operand, dictionaries, parameters)}`;
    default:
      return fieldSql(expression, dictionaries, parameters);
  }
}

function fieldSql(expression: FieldExpression, dictionaries: SetIndex['dictionaries'], parameters: Parameters): string {
  const { field } = expression;
  const text = TEXT_COLUMNS[field];
  // Texts that have numbers are compared once each, as an export compares them.
  if (text) return `(${inList(text[0], dictionaries[text[1]].where(valueTest(expression)))})`;
  const column = COLUMNS[field]!;
  if (expression.kind === 'in') {
    const values = expression.values.map((value) => parameters.add(value));
    return values.length === 0 ? 'false' : `(${column} IN (${values.join(', ')}))`;
  }
  const { operator, value } = expression;
  if (operator !== 'like') return `(${column} ${operator === '!=' ? '<>' : operator} ${parameters.add(value)})`;
  const pattern = String(value).toLowerCase().replace(/[\\_]/g, '\\$&');
  return `(lower(${column}) LIKE ${parameters.add(pattern)} ESCAPE '\\')`;
}
