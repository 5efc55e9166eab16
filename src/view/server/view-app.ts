import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { OptionError, RecordError, RelflowError } from '../../errors.js';
import { RELATION_FIELDS } from '../../sinks/relation-expression.js';
import type { ImageDetail, PictureWidth, SetInfo } from '../view-api.js';
import type { CountQueries } from './count-queries.js';
import { guard, refuse } from './guard.js';
import { imageDetail } from './image-detail.js';
import type { ImageQueries } from './image-queries.js';
import { type JudgeQueue, readQueue } from './judge-queue.js';
import type { PageFile } from './page-files.js';
import { PICTURE_WIDTHS, type Pictures } from './pictures.js';
import { Query } from './query.js';
import { readEdits } from './read-edits.js';
import type { ReviewDesk } from './review-desk.js';
import type { SetComparison } from './set-comparison.js';
import type { SetIndex } from './set-index.js';

/** What the requests are answered with. */
export interface ViewServices {
  readonly index: SetIndex;
  readonly counts: CountQueries;
  readonly images: ImageQueries;
  readonly pictures: Pictures;
  readonly desk: ReviewDesk;
  readonly queue: JudgeQueue;
  readonly page: ReadonlyMap<string, PageFile>;
  readonly reviewer: string;
  /** With another set. */
  readonly comparison?: SetComparison;
}

const MOST = Number.MAX_SAFE_INTEGER;
/** Images or relations in one reply. */
const PAGE = 200;
/** The largest body of a request, in bytes. */
const MOST_BYTES = 1 << 20;

/** Makes the web app: its requests and replies are those of `view-api.ts`. */
export function viewApp(services: ViewServices, token: string, port: () => number): Hono {
  const { index, counts, images, pictures, desk, queue, comparison } = services;
  const app = new Hono();
  app.use(guard(token, port));
  // Other servers may have written to the same file of edits.
  app.use('/api/*', async (_, next) => {
    await desk.refresh();
    await next();
  });
  app.onError((error, context) => failure(context, error));
  app.get('/api/set', (context) => context.json(setInfo(services)));
  app.get('/api/images', async (context) => {
    const query = queryOf(context);
    const limit = query.integer('limit', 1, PAGE) ?? 60;
    return context.json(await images.page(query.filter(), query.sort(), query.integer('offset', 0, MOST) ?? 0, limit));
  });
  app.get('/api/facets', async (context) => context.json(await counts.facets(queryOf(context).filter())));
  app.get('/api/charts', async (context) => context.json(await counts.charts(queryOf(context).filter())));
  app.get('/api/terms', async (context) => {
    const query = queryOf(context);
    const field = query.choice('field', ['predicate', 'subject', 'object'], 'predicate');
    return context.json(await counts.terms(field, query.text('text') ?? '', query.integer('limit', 1, PAGE) ?? 20));
  });
  /** Returns an image as the page shows it under the filter and order of the request; null if there is none. */
  const detailOf = async (key: number, query: Query): Promise<ImageDetail | null> => {
    const record = await index.record(key);
    if (!record) return null;
    const [filter, sort] = [query.filter(), query.sort()];
    const [places, neighbors, pictureProblem] = await Promise.all([
      images.matchingPlaces(filter, [key]),
      images.neighbors(key, filter, sort),
      pictures.problem(record.graph.image),
    ]);
    const relations = desk.relationsOf(record.graph, new Set(places.get(key)));
    return { ...imageDetail(key, record, { threshold: index.set.threshold, relations, pictureProblem }), ...neighbors };
  };
  app.get('/api/images/:key{[0-9]+}', async (context) => {
    const key = Number(context.req.param('key'));
    const detail = await detailOf(key, queryOf(context));
    return detail ? context.json(detail) : refuse(context, 404, 'not-found', `there is no image ${key}`);
  });
  app.get('/api/compare', async (context) => {
    if (!comparison) return refuse(context, 404, 'not-found', 'there is no other set: give it with --compare');
    const query = queryOf(context);
    const [offset, limit] = [query.integer('offset', 0, MOST) ?? 0, query.integer('limit', 1, PAGE) ?? 60];
    return context.json(await comparison.page(query.filter(), offset, limit));
  });
  app.get('/api/compare/:key{[0-9]+}', async (context) => {
    const key = Number(context.req.param('key'));
    const here = await detailOf(key, queryOf(context));
    const detail = here && (await comparison?.detail(key, here));
    return detail ? context.json(detail) : refuse(context, 404, 'not-found', `there is no image ${key} to compare`);
  });
  app.get('/api/images/:key{[0-9]+}/picture', async (context) => {
    const record = await index.record(Number(context.req.param('key')));
    const width = queryOf(context).integer('width', 1, MOST) ?? null;
    if (width !== null && !PICTURE_WIDTHS.some((known) => known === width))
      throw new OptionError('width', `is ${width}, expected one of ${PICTURE_WIDTHS.join(', ')}`);
    if (!record || !pictures.hasFolders) return refuse(context, 404, 'not-found', 'there is no picture');
    const picture = await pictures.picture(record.graph.image, width as PictureWidth | null);
    context.header('cache-control', 'private, max-age=3600');
    return context.body(new Uint8Array(picture), 200, { 'content-type': 'image/jpeg' });
  });
  const limit = bodyLimit({
    maxSize: MOST_BYTES,
    onError: (context) => refuse(context, 413, 'too-large', `the request has more than ${MOST_BYTES} bytes`),
  });
  app.post('/api/edits', limit, async (context) => {
    const { edits } = readEdits(await context.req.text());
    return context.json(await desk.save(edits));
  });
  app.get('/api/edits', async (context) =>
    context.json(await desk.log(queryOf(context).integer('limit', 1, PAGE) ?? 50)),
  );
  app.get('/api/queue', async (context) => {
    const query = queryOf(context);
    const [offset, limit] = [query.integer('offset', 0, MOST) ?? 0, query.integer('limit', 1, PAGE) ?? 20];
    return context.json(await queue.queue(query.filter(), readQueue(query), offset, limit));
  });
  app.get('/api/queue/alike', async (context) => {
    const query = queryOf(context);
    const [image, place] = [query.integer('image', 0, MOST), query.integer('relation', 0, MOST)];
    if (image === undefined || place === undefined)
      throw new OptionError('queue', 'expected the numbers of an image and of its relation');
    const alike = await queue.alike(query.filter(), readQueue(query), image, place);
    return alike
      ? context.json(alike)
      : refuse(context, 404, 'not-found', `the image ${image} has no relation ${place}`);
  });
  app.get('/api/judged.csv', async (context) => {
    const query = queryOf(context);
    const { lines, withoutObject } = await queue.csv(query.filter(), readQueue(query));
    return context.body(lines.join(''), 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="relations.csv"',
      'x-relations-without-object': String(withoutObject),
    });
  });
  app.all('/api/*', (context) =>
    refuse(context, 404, 'not-found', `there is no ${context.req.method} ${context.req.path}`),
  );
  app.get('*', (context) => pageFile(context, services.page));
  return app;
}

const queryOf = (context: Context): Query => new Query(new URL(context.req.url).searchParams);

function setInfo({ index, pictures, desk, reviewer, comparison }: ViewServices): SetInfo {
  const { set, progress, refused, hasCaptions } = index;
  const { path, edits, problem } = desk.file;
  return {
    name: set.name,
    kind: set.kind,
    indexing: progress,
    hasPictures: pictures.hasFolders,
    hasCaptions,
    hasCandidates: set.hasCandidates,
    ...(comparison && { compare: { name: comparison.there.set.name, indexing: comparison.there.progress } }),
    reviewer,
    reviews: { file: path, edits, ...(problem !== undefined && { problem }) },
    refused: [...refused].map(([value, { count }]) => ({ value, count })),
    fields: Object.entries(RELATION_FIELDS).map(([name, { type, summary }]) => ({ name, type, summary })),
  };
}

/** Every address that is not a file of the page is a view of the page, which reads it. */
function pageFile(context: Context, page: ReadonlyMap<string, PageFile>): Response {
  const name = context.req.path.slice(1);
  const file = page.get(name) ?? page.get('index.html');
  if (!file) return context.text('The page was not built: run `npm run build` in the folder of the package.', 503);
  context.header('cache-control', 'no-cache');
  return context.body(new Uint8Array(file.content), 200, { 'content-type': file.type });
}

function failure(context: Context, error: Error): Response {
  if (error instanceof OptionError) return refuse(context, 400, error.code, error.message);
  if (error instanceof RecordError) return refuse(context, 404, error.code, error.message);
  if (error instanceof RelflowError) return refuse(context, 409, error.code, error.message);
  return refuse(context, 500, 'internal', error.message);
}
