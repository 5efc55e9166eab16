// npm run bench:view -- [images] measures `relflow view` on a generated run of 7 relations an image (default: 100,000 images): from
// the start of the command to the first picture, while it is indexing and again with its index; filters with counts and charts; and
// the memory of the server. Limits: first picture 2 s and a filter 300 ms at 100,000 images.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import {
  type Captioned,
  fromIterable,
  Graph,
  type ImageRecord,
  type Related,
  type Relation,
  run,
  sceneGraphs,
} from '../src/index.js';
import { packageRoot } from '../src/package-info.js';
import type { NewEdit } from '../src/view/review-api.js';
import type { Facets, ImagePage, SetInfo } from '../src/view/view-api.js';

const [count = 100_000] = process.argv.slice(2).map(Number);
const RELATIONS = 7;
const OBJECTS = 8;
const PICTURES = 200;
const FILTERS: Readonly<Record<string, string>> = {
  'no filter': '',
  'one predicate': 'predicate=predicate 3',
  'confidence from 0.5': 'minConfidence=0.5',
  'predicate, subject and confidence': 'predicate=predicate 3&subject=category 0&minConfidence=0.5',
  'an expression': 'where=confidence >= 0.5 and predicate != "predicate 0" or object like "%1%"',
  'words in captions': 'words=category 3 next',
  'number of relations': 'minRelations=7&source=geometry',
};

const random = (() => {
  let state = 12_345;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
})();
/** A long tail: small numbers are frequent. */
const rare = (below: number) => Math.min(below - 1, Math.floor(Math.exp(random() * Math.log(below + 1))) - 1);

function* records(): Generator<ImageRecord & Related & Captioned> {
  for (let id = 0; id < count; id++) {
    const detections = Array.from({ length: OBJECTS }, (_, index) => ({
      id: id * OBJECTS + index,
      category: `category ${rare(80)}`,
      box: [random() * 500, random() * 350, 20 + random() * 120, 20 + random() * 110].map(Math.round) as [
        number,
        number,
        number,
        number,
      ],
      score: Math.round(random() * 1000) / 1000,
    }));
    const captions = Array.from({ length: 5 }, (_, index) => ({
      text: `A ${detections[index]?.category} next to a ${detections[index + 1]?.category} number ${rare(5000)}.`,
      source: 'captions.json',
    }));
    const relations = Array.from(
      { length: RELATIONS },
      (_, index): Relation => ({
        subject: index % OBJECTS,
        object: (index + 1 + rare(3)) % OBJECTS,
        predicate: `predicate ${rare(70)}`,
        confidence: Math.round(random() * 1e6) / 1e6,
        captions: [index % 5],
        ...(rare(4) === 2 && { source: 'geometry' as const }),
      }),
    );
    yield {
      image: { id, file: `${id % PICTURES}.jpg`, width: 640, height: 480, dataset: 'generated', split: '' },
      detections,
      captions,
      relations,
      tagger: { name: 'generated', version: '1', baseline: false },
      origin: { source: 'generated', file: '' },
    };
  }
}

/** A server in a process of its own. */
class Server {
  readonly #child: ChildProcess;
  readonly url: URL;
  readonly started: number;

  private constructor(child: ChildProcess, url: URL, started: number) {
    this.#child = child;
    this.url = url;
    this.started = started;
  }

  static async start(run: string, images: string, cache: string): Promise<Server> {
    const started = performance.now();
    const child = spawn(
      process.execPath,
      [join(packageRoot, 'dist/src/cli/main.js'), 'view', run, '--images', images, '--no-open'],
      { env: { ...process.env, RELFLOW_CACHE: cache }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const url = await new Promise<URL>((resolve, reject) => {
      child.stdout?.on('data', (chunk: Buffer) => resolve(new URL(String(chunk).trim())));
      child.on('close', () => reject(new Error('the server ended')));
    });
    return new Server(child, url, started);
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.url.searchParams.get('token')}`, ...init.headers };
    const response = await fetch(new URL(path, this.url), { ...init, headers });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response;
  }

  async get<T>(path: string): Promise<T> {
    return (await (await this.fetch(path)).json()) as T;
  }

  /** The largest memory of the process so far, in MB. */
  get peak(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024);
  }

  /** Processor time of the process so far, in milliseconds: what the wall time would be on one free core. */
  get processor(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.removeAllListeners('close');
      this.#child.on('close', () => resolve());
      this.#child.kill('SIGINT');
    });
  }
}

const since = (start: number) => Math.round(performance.now() - start);
const show = (what: string, value: string | number, unit: string) => console.log(`${what.padEnd(84)}${value} ${unit}`);

/** Shows how long something takes, and the processor time of the server for it, which other work on the machine does not change. */
async function time(server: Server, what: string, work: () => Promise<string | undefined>): Promise<void> {
  const [start, processor] = [performance.now(), server.processor];
  const detail = await work();
  show(
    `${what}${detail === undefined ? '' : ` (${detail})`}`,
    since(start),
    `ms, ${server.processor - processor} ms of processors`,
  );
}

async function firstPicture(server: Server): Promise<number> {
  const page = await server.get<ImagePage>('/api/images?limit=60');
  await server.fetch(`/api/images/${page.images[0]?.key}/picture?width=320`);
  return since(server.started);
}

const folder = mkdtempSync(join(tmpdir(), 'relflow-view-'));
const [runFolder, images, cache] = ['run', 'images', 'cache'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
try {
  mkdirSync(images);
  for (let number = 0; number < PICTURES; number++)
    await sharp({ create: { width: 640, height: 480, channels: 3, background: `hsl(${number * 7}, 60%, 60%)` } })
      .jpeg()
      .toFile(join(images, `${number}.jpg`));
  const graph = new Graph('generated');
  graph
    .from(
      fromIterable('generated', ['image', 'detections', 'origin', 'captions', 'relations', 'tagger'], {
        [Symbol.iterator]: records,
      }),
    )
    .to(sceneGraphs());
  await run(graph, { out: runFolder });
  console.log(`${count.toLocaleString('en-US')} images, ${(count * RELATIONS).toLocaleString('en-US')} relations`);

  const server = await Server.start(runFolder, images, cache);
  show(
    'start to the first picture, without an index',
    await firstPicture(server),
    `ms, ${server.processor} ms of processors`,
  );
  const during: number[] = [];
  for (let info = await server.get<SetInfo>('/api/set'); !info.indexing.done; ) {
    const start = performance.now();
    await server.get<ImagePage>('/api/images?predicate=predicate 3');
    during.push(since(start));
    await new Promise((resolve) => setTimeout(resolve, 200));
    info = await server.get<SetInfo>('/api/set');
  }
  show('start to the complete index', since(server.started), `ms, ${server.processor} ms of processors`);
  show('slowest page of a filter meanwhile', Math.max(0, ...during), 'ms');
  show('memory until then', server.peak, 'MB');
  for (const [name, filter] of Object.entries(FILTERS))
    await time(server, `filter, page and counts: ${name}`, async () => {
      const [page, facets] = await Promise.all([
        server.get<ImagePage>(`/api/images?${filter}`),
        server.get<Facets>(`/api/facets?${filter}`),
      ]);
      return `${page.total} images, ${facets.relations} relations`;
    });
  for (const [what, path] of Object.entries({
    'page 100 of a filter, in the order of the set': '/api/images?sort=set&minConfidence=0.3&offset=6000',
    'page 100 of a filter, least confident first': '/api/images?sort=confidence-lowest&minConfidence=0.3&offset=6000',
    charts: '/api/charts',
    'an image with its neighbors': `/api/images/${Math.floor(count / 2)}?predicate=predicate 3&sort=confidence-lowest`,
    'the queue of a random sample': '/api/queue?order=random&seed=1&images=40',
    'the queue of the least certain': '/api/queue?order=uncertain',
  }))
    await time(server, what, async () => {
      await server.get(path);
      return undefined;
    });
  const start = performance.now();
  for (let image = 0; image < 50; image++) {
    const edit: NewEdit = {
      id: randomUUID(),
      image,
      relation: (await server.get<{ relations: NewEdit['relation'][] }>(`/api/images/${image}`)).relations[0]!,
      what: { action: 'approve' },
    };
    await server.fetch('/api/edits', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ edits: [edit] }),
    });
  }
  show('opening an image and saving an edit, mean of 50', since(start) / 50, 'ms');
  show('memory at the end', server.peak, 'MB');
  await server.stop();

  const again = await Server.start(runFolder, images, cache);
  show(
    'start to the first picture, with the index',
    await firstPicture(again),
    `ms, ${again.processor} ms of processors`,
  );
  show('memory with the index', again.peak, 'MB');
  await again.stop();
  const [index] = readdirSync(join(cache, 'views')).map((name) => join(cache, 'views', name));
  for (const name of readdirSync(index!))
    show(`index: ${name}`, Math.round(statSync(join(index!, name)).size / 1e6), 'MB');
} finally {
  rmSync(folder, { recursive: true });
}
