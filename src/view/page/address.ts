import type { QueueOrder } from '../review-api.js';
import type { Filter, ImageKey, ImageSort, RelationOrigin, ReviewState } from '../view-api.js';

/** The views of the page. */
export type ViewName = 'images' | 'image' | 'charts' | 'review' | 'compare';

/** What the page shows, all of which is in its address: links and the browser's back button work for every view. */
export interface Address {
  readonly view: ViewName;
  readonly filter: Filter;
  readonly sort: ImageSort;
  /** The image shown, for `image` and for an image of `compare`. */
  readonly image?: ImageKey;
  /** Index of the selected relation of the image. */
  readonly relation?: number;
  readonly queue: { readonly order: QueueOrder; readonly seed: number; readonly images: number; readonly at?: number };
}

/** The address of the page without parameters. */
export const START: Address = {
  view: 'images',
  filter: {},
  sort: 'set',
  queue: { order: 'uncertain', seed: 1, images: 40 },
};

const VIEWS: readonly ViewName[] = ['images', 'image', 'charts', 'review', 'compare'];
const SORTS: readonly ImageSort[] = [
  'set',
  'relations-most',
  'relations-fewest',
  'confidence-lowest',
  'confidence-highest',
  'file',
];

/** The facets whose values are texts. */
export const FACETS = ['predicate', 'subject', 'object', 'tagger', 'source', 'review', 'dropped'] as const;
/** The name of a facet whose values are texts. */
export type FacetName = (typeof FACETS)[number];

const NUMBERS = ['minConfidence', 'maxConfidence', 'minRelations', 'maxRelations'] as const;

/** Returns the query parameters of a filter, as the server reads them. */
export function filterParameters(filter: Filter): URLSearchParams {
  const parameters = new URLSearchParams();
  if (filter.where) parameters.set('where', filter.where);
  if (filter.words) parameters.set('words', filter.words);
  for (const name of FACETS) for (const value of filter[name] ?? []) parameters.append(name, value);
  for (const name of NUMBERS) if (filter[name] !== undefined) parameters.set(name, String(filter[name]));
  return parameters;
}

/** Reads a filter from query parameters; what is not part of a filter is ignored. */
function filterOf(parameters: URLSearchParams): Filter {
  const [where, words] = [parameters.get('where'), parameters.get('words')];
  const lists = Object.fromEntries(
    FACETS.map((name) => [name, parameters.getAll(name)] as const).filter(([, values]) => values.length > 0),
  ) as { review?: ReviewState[]; source?: RelationOrigin[] };
  const numbers = Object.fromEntries(
    NUMBERS.map((name) => [name, numberOf(parameters.get(name))] as const).filter(([, value]) => value !== undefined),
  );
  return { ...(where && { where }), ...(words && { words }), ...lists, ...numbers };
}

/** Returns whether a filter takes everything. */
export const isEmptyFilter = (filter: Filter): boolean => filterParameters(filter).size === 0;

/** Returns the link of an address: `/` with a query. */
export function linkOf({ view, filter, sort, image, relation, queue }: Address): string {
  const parameters = filterParameters(filter);
  if (sort !== START.sort) parameters.set('sort', sort);
  if (view !== START.view) parameters.set('view', view);
  if ((view === 'image' || view === 'compare') && image !== undefined) {
    parameters.set('image', String(image));
    if (relation !== undefined) parameters.set('relation', String(relation));
  }
  if (view === 'review') {
    parameters.set('order', queue.order);
    if (queue.order === 'random') {
      parameters.set('seed', String(queue.seed));
      parameters.set('images', String(queue.images));
    }
    if (queue.at !== undefined) parameters.set('at', String(queue.at));
  }
  return parameters.size === 0 ? '/' : `/?${parameters}`;
}

/** Reads the query of a link; what is missing or cannot be read has its default. */
export function addressOf(query: string): Address {
  const parameters = new URLSearchParams(query);
  const whole = (name: string): number | undefined => {
    const value = numberOf(parameters.get(name));
    return value !== undefined && Number.isInteger(value) && value >= 0 ? value : undefined;
  };
  const [image, relation, at] = [whole('image'), whole('relation'), whole('at')];
  const view = VIEWS.find((name) => name === parameters.get('view')) ?? START.view;
  return {
    view: view === 'image' && image === undefined ? 'images' : view,
    filter: filterOf(parameters),
    sort: SORTS.find((name) => name === parameters.get('sort')) ?? START.sort,
    ...(image !== undefined && { image }),
    ...(relation !== undefined && { relation }),
    queue: {
      order: parameters.get('order') === 'random' ? 'random' : 'uncertain',
      seed: whole('seed') ?? START.queue.seed,
      images: whole('images') || START.queue.images,
      ...(at !== undefined && { at }),
    },
  };
}

function numberOf(text: string | null): number | undefined {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}
