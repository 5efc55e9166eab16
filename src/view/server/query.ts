import { OptionError } from '../../errors.js';
import type { Filter, ImageSort, RelationOrigin, ReviewState } from '../view-api.js';

const ORIGINS = [
  'caption',
  'geometry',
  'proposal',
  'predicates',
  'people',
] as const satisfies readonly RelationOrigin[];
/** What people may have said about a relation. */
export const REVIEW_STATES = [
  'unreviewed',
  'approved',
  'rejected',
  'changed',
  'added',
  'unsure',
] as const satisfies readonly ReviewState[];
const SORTS = [
  'set',
  'relations-most',
  'relations-fewest',
  'confidence-lowest',
  'confidence-highest',
  'file',
] as const satisfies readonly ImageSort[];

/** Query parameters of a request. */
export class Query {
  readonly #query: URLSearchParams;

  constructor(query: URLSearchParams) {
    this.#query = query;
  }

  /** Returns the values of a parameter that may be repeated; undefined if it does not occur. */
  list(name: string): readonly string[] | undefined {
    const values = this.#query.getAll(name);
    return values.length === 0 ? undefined : values;
  }

  /** Returns a text; undefined if it is empty or does not occur. */
  text(name: string): string | undefined {
    return this.#query.get(name) || undefined;
  }

  /** @throws OptionError if the value is not a number in the range */
  number(name: string, low: number, high: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!(value >= low && value <= high))
      throw new OptionError(name, `is '${text}', expected a number from ${low} to ${high}`);
    return value;
  }

  /** @throws OptionError if the value is not a whole number in the range */
  integer(name: string, low: number, high: number): number | undefined {
    const value = this.number(name, low, high);
    if (value !== undefined && !Number.isInteger(value))
      throw new OptionError(name, `is '${value}', expected a whole number`);
    return value;
  }

  /** @throws OptionError if the value is not one of the choices */
  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const text = this.text(name);
    return text === undefined ? fallback : oneOf(name, text, choices);
  }

  filter(): Filter {
    return withoutUndefined<Filter>({
      where: this.text('where'),
      predicate: this.list('predicate'),
      subject: this.list('subject'),
      object: this.list('object'),
      tagger: this.list('tagger'),
      source: this.list('source')?.map((value) => oneOf('source', value, ORIGINS)),
      review: this.list('review')?.map((value) => oneOf('review', value, REVIEW_STATES)),
      dropped: this.list('dropped'),
      minConfidence: this.number('minConfidence', 0, 1),
      maxConfidence: this.number('maxConfidence', 0, 1),
      minRelations: this.integer('minRelations', 0, Number.MAX_SAFE_INTEGER),
      maxRelations: this.integer('maxRelations', 0, Number.MAX_SAFE_INTEGER),
      words: this.text('words'),
    });
  }

  sort(): ImageSort {
    return this.choice('sort', SORTS, 'set');
  }
}

function oneOf<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new OptionError(name, `is '${text}', expected one of ${choices.join(', ')}`);
  return found;
}

function withoutUndefined<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
