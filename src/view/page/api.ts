import type { Alike, EditReply, EditRequest, Queue, QueueItem } from '../review-api.js';
import type {
  ApiError,
  Charts,
  CompareDetail,
  ComparePage,
  Facets,
  Filter,
  ImageDetail,
  ImageKey,
  ImagePage,
  ImageSort,
  PictureWidth,
  SetInfo,
  Terms,
} from '../view-api.js';
import type { Address } from './address.js';
import { filterParameters } from './address.js';

/** A reply that says why a request failed, or no reply at all. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** The status of the reply; 0 without one. */
  readonly status: number;
  readonly code: string;

  constructor(message: string, status: number, code: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** Whether the same request may succeed later: the server is away or busy, its disk is full, or it was started again and its new link is not open yet. */
  get isPassing(): boolean {
    return this.status === 0 || this.status >= 500 || this.status === 429 || this.code === 'bad-token';
  }
}

async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (cause) {
    if ((cause as Error).name === 'AbortError') throw cause;
    throw new RequestError('the server does not answer; is relflow view still running?', 0, 'no-answer');
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) return body as T;
  const { error = `the server answered ${response.status}`, code = 'unknown' } = (body ?? {}) as Partial<ApiError>;
  throw new RequestError(error, response.status, code);
}

function pathWith(path: string, filter: Filter, more: Readonly<Record<string, string | number>> = {}): string {
  const parameters = filterParameters(filter);
  for (const [name, value] of Object.entries(more)) parameters.set(name, String(value));
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

const queueParameters = ({ order, seed, images }: Address['queue']) =>
  order === 'random' ? { order, seed, images } : { order };

/** Requests to the server; `view-api.ts` describes the replies. All throw a `RequestError`. */
export const api = {
  set: (signal?: AbortSignal) => request<SetInfo>('/api/set', { signal: signal ?? null }),
  images: (filter: Filter, sort: ImageSort, offset: number, limit: number, signal: AbortSignal) =>
    request<ImagePage>(pathWith('/api/images', filter, { sort, offset, limit }), { signal }),
  facets: (filter: Filter, signal: AbortSignal) => request<Facets>(pathWith('/api/facets', filter), { signal }),
  charts: (filter: Filter, signal: AbortSignal) => request<Charts>(pathWith('/api/charts', filter), { signal }),
  terms: (field: 'predicate' | 'subject' | 'object', text: string, signal: AbortSignal) =>
    request<Terms>(pathWith('/api/terms', {}, { field, text, limit: 20 }), { signal }),
  image: (key: ImageKey, filter: Filter, sort: ImageSort, signal: AbortSignal) =>
    request<ImageDetail>(pathWith(`/api/images/${key}`, filter, { sort }), { signal }),
  edit: (body: EditRequest) =>
    request<EditReply>('/api/edits', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  queue: (filter: Filter, queue: Address['queue'], offset: number, limit: number, signal: AbortSignal) =>
    request<Queue>(pathWith('/api/queue', filter, { ...queueParameters(queue), offset, limit }), { signal }),
  alike: (filter: Filter, queue: Address['queue'], { image, relation }: QueueItem, signal: AbortSignal) =>
    request<Alike>(pathWith('/api/queue/alike', filter, { ...queueParameters(queue), image, relation }), { signal }),
  comparisons: (filter: Filter, offset: number, limit: number, signal: AbortSignal) =>
    request<ComparePage>(pathWith('/api/compare', filter, { offset, limit }), { signal }),
  comparison: (key: ImageKey, filter: Filter, signal: AbortSignal) =>
    request<CompareDetail>(pathWith(`/api/compare/${key}`, filter), { signal }),
};

/** Returns the address of an image's picture. */
export const pictureLink = (key: ImageKey, width?: PictureWidth): string =>
  `/api/images/${key}/picture${width === undefined ? '' : `?width=${width}`}`;

/** Returns the address of the judgments as a CSV file. */
export const judgedLink = (filter: Filter, queue: Address['queue']): string =>
  pathWith('/api/judged.csv', filter, queueParameters(queue));
