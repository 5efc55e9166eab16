import { once } from 'node:events';
import type { Server } from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { OptionError } from '../../errors.js';
import { cacheFolder } from '../../files/cache-folder.js';
import { checkImageFolder } from '../../files/image-folder.js';
import { TemporaryFolder } from '../../files/spools/temporary-folder.js';
import { ReviewFile } from '../reviews/review-file.js';
import type { IndexProgress } from '../view-api.js';
import { CountQueries } from './count-queries.js';
import { newToken } from './guard.js';
import { ImageQueries } from './image-queries.js';
import { TABLES } from './index-rows.js';
import { JudgeQueue } from './judge-queue.js';
import { readPageFiles } from './page-files.js';
import { Pictures } from './pictures.js';
import { ReviewDesk } from './review-desk.js';
import { COMPARED, SetComparison } from './set-comparison.js';
import { SetIndex } from './set-index.js';
import { viewApp } from './view-app.js';
import { ViewDatabase } from './view-database.js';
import type { ViewSet } from './view-set.js';

/** Options of `startView`. */
export interface StartViewOptions {
  /** Image folders; without any there are no pictures. */
  readonly images?: readonly string[];
  /** Another set of the same images, to compare with. */
  readonly compare?: ViewSet;
  /** Port of 127.0.0.1; a free one by default. */
  readonly port?: number;
  /** Who reviews, as edits say it; default: the user's name. */
  readonly reviewer?: string;
  /** File of edits; default: `reviews.jsonl` in the run's folder, or named after the set's file and next to it. */
  readonly reviews?: string;
  /** Folder of indexes; default: `RELFLOW_CACHE`, or relflow's folder in the user's folder for caches. */
  readonly cache?: string;
}

/** A running server. */
export interface View {
  /** The link with the token. */
  readonly url: string;
  readonly token: string;
  readonly port: number;
  readonly progress: IndexProgress;
  /** Settles when the whole set can be queried. */
  readonly completion: Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the local web app of a set, on 127.0.0.1 only. It returns when there is a first page to show; indexing goes on.
 * @throws InputError when there is no such image folder
 * @throws RelflowError `missing-package` when the query engine cannot be loaded
 */
export async function startView(set: ViewSet, options: StartViewOptions = {}): Promise<View> {
  const {
    images = [],
    port = 0,
    reviewer = userName(),
    cache = join(cacheFolder(), 'views'),
    reviews = reviewsOf(set),
  } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new OptionError('view', `port is ${port}, expected a whole number from 0 to 65535`);
  for (const folder of images) await checkImageFolder(folder);
  if (options.compare?.digest === set.digest)
    throw new OptionError('view', `--compare is the same set as ${set.name}, expected another one`);
  const file = await ReviewFile.open(reviews);
  const temporary = await TemporaryFolder.create(tmpdir());
  const stop = new AbortController();
  const indexes: SetIndex[] = [];
  let db: ViewDatabase | undefined;
  let comparison: SetComparison | undefined;
  let server: Server | undefined;
  /** Closes what is open, which is not all of it when opening fails. */
  const close = async () => {
    stop.abort();
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
    await Promise.all(indexes.map(({ completion }) => completion));
    await comparison?.completion.catch(() => {});
    await db?.close();
    for (const index of indexes) await index.close();
    await temporary.remove();
  };
  try {
    db = await ViewDatabase.open(temporary.path);
    await db.run('CREATE TABLE reviews (image INTEGER, place INTEGER, state VARCHAR)');
    await db.run(`CREATE TABLE drawn (${TABLES.relations})`);
    await db.run(`CREATE TABLE compared (${COMPARED})`);
    const index = await SetIndex.open({ db, alias: 'here', set, cache, signal: stop.signal });
    indexes.push(index);
    if (options.compare) {
      const there = await SetIndex.open({ db, alias: 'there', set: options.compare, cache, signal: stop.signal });
      indexes.push(there);
      comparison = new SetComparison(db, index, there, stop.signal);
    }
    const desk = await ReviewDesk.open(db, index, file, reviewer);
    const token = newToken();
    const services = {
      index,
      counts: new CountQueries(db, index),
      images: new ImageQueries(db, index, desk),
      desk,
      queue: new JudgeQueue(db, index, desk),
      pictures: new Pictures(images),
      page: await readPageFiles(),
      reviewer,
      ...(comparison && { comparison }),
    };
    let bound = port;
    const app = viewApp(services, token, () => bound);
    server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }) as Server;
    await once(server, 'listening');
    bound = (server.address() as { port: number }).port;
    return {
      url: `http://127.0.0.1:${bound}/?token=${token}`,
      token,
      port: bound,
      get progress() {
        return index.progress;
      },
      completion: Promise.all([index.completion, comparison?.completion]).then(() => {}),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const reviewsOf = ({ kind, path }: ViewSet): string =>
  kind === 'run'
    ? join(path, 'reviews.jsonl')
    : `${path.replace(/\.(?:jsonl?|csv|h5|xml|ya?ml)(?:\.gz)?$/, '')}.reviews.jsonl`;

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in the system's list, as in containers.
    return 'unknown';
  }
}
