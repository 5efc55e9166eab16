import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { Queue, QueueEvents } from 'bullmq';
import { graphOfRun } from '../../src/cli/saved-run.js';
import { digest } from '../../src/files/digest.js';
import { EXPORT_FORMATS } from '../../src/index.js';
import { queueServer, type RunningWorker, startWorker } from '../../src/queue/index.js';
import { seal } from '../../src/run-folder/sealed-json.js';
import type { ExportFormat } from '../../src/sinks/exports/export-format.js';
import { relflow, SCENES } from './command.js';
import { digests, temporaryFolder } from './folders.js';
import { hasRedis, RedisServer } from './redis-server.js';

const CANARY = 'canary-4f1d0c';

interface Place {
  /** The stranger's folder. */
  readonly out: string;
  /** Folder of the user outside it. */
  readonly decoy: string;
  /** Image folder of the user. */
  readonly images: string;
  readonly url: string;
  readonly marker: string;
}

type Json = Record<string, unknown>;
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Json;
const change = (file: string, edit: (value: Json) => void) => {
  const { check, ...value } = read(file);
  edit(value);
  // A stranger also computes the file's own checksum anew.
  writeFileSync(file, `${JSON.stringify(check === undefined ? value : seal(value))}\n`);
};
const runState = (place: Place) => join(place.out, '.relflow/run.json');
const withOptions = (options: (place: Place) => Json) => (place: Place) =>
  change(runState(place), (state) => Object.assign((state['options'] as { options: Json }).options, options(place)));
const linked = (name: string, target: string) => (place: Place) => {
  rmSync(join(place.out, name), { recursive: true, force: true });
  symlinkSync(join(place.decoy, target), join(place.out, name));
};
/** Changes the recorded path of the scene graphs in the marker and in the manifest. */
const withPath = (path: (place: Place) => string) => (place: Place) => {
  const { bytes, sha256 } = checksumOf(join(place.decoy, 'graphs.jsonl'));
  for (const name of ['manifest.json', '.relflow/shards/00000.json'])
    change(join(place.out, name), (value) => {
      for (const file of value['files'] as Json[])
        if (file['sink'] === 'scene-graphs') Object.assign(file, { path: path(place), bytes, sha256 });
    });
};
/** Changes the file of each image, and the checksums with it. */
export const withImages = (file: (place: Place) => string) => (place: Place) => {
  const shard = join(place.out, 'scene-graphs/00000.jsonl');
  const lines = readFileSync(shard, 'utf8').trim().split('\n');
  const changed = lines.map((line) => {
    const graph = JSON.parse(line) as { image: Json };
    graph.image['file'] = file(place);
    return `${JSON.stringify(graph)}\n`;
  });
  writeFileSync(shard, changed.join(''));
  for (const name of ['manifest.json', '.relflow/shards/00000.json'])
    change(join(place.out, name), (value) => {
      for (const entry of value['files'] as Json[])
        if (entry['sink'] === 'scene-graphs') Object.assign(entry, checksumOf(shard));
    });
};
const unfinished = (edit: (place: Place) => void) => (place: Place) => {
  edit(place);
  rmSync(join(place.out, 'manifest.json'), { force: true });
};
const checksumOf = (file: string) => ({
  bytes: statSync(file).size,
  sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
});
const module = (place: Place) => {
  const file = join(place.out, 'recipe.mjs');
  writeFileSync(file, `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(place.marker)}, '');`);
  return file;
};

const WAYS: Record<string, (place: Place) => void> = {
  'a module of its own as recipe': (place) =>
    change(runState(place), (state) => Object.assign(state['options'] as Json, { recipe: module(place) })),
  'a module relative to where the command runs': (place) =>
    change(runState(place), (state) =>
      Object.assign(state['options'] as Json, { recipe: relative(process.cwd(), module(place)) }),
    ),
  'a token file and an address': withOptions(({ decoy, url, images }) => ({
    captions: undefined,
    captioner: 'hf-chat',
    model: 'x',
    images,
    endpointUrl: url,
    tokenFile: join(decoy, 'secret.txt'),
  })),
  'the address of a parser': withOptions(({ url }) => ({ parser: 'factual-t5', parserEndpointUrl: url })),
  'annotations elsewhere': withOptions(({ decoy }) => ({ annotations: join(decoy, 'secret.txt') })),
  'captions by a glob elsewhere': withOptions(({ decoy }) => ({ captions: join(decoy, '*') })),
  'images elsewhere': withOptions(({ decoy }) => ({ images: decoy })),
  'a vocabulary elsewhere': withOptions(({ decoy }) => ({ vocabulary: join(decoy, 'secret.txt') })),
  'a store elsewhere': withOptions(({ decoy }) => ({ store: decoy })),
  'weights and a label cache elsewhere': withOptions(({ decoy, images }) => ({
    images,
    tagger: join(decoy, 'secret.txt'),
    labelCache: decoy,
  })),
  'a recipe that does not exist': (place) =>
    change(runState(place), (state) =>
      Object.assign(state['options'] as Json, { recipe: '../../x', exports: ['__proto__'] }),
    ),
  'a shard above the folder': withPath(({ out, decoy }) => relative(out, join(decoy, 'graphs.jsonl'))),
  'a shard with an absolute path': withPath(({ decoy }) => join(decoy, 'graphs.jsonl')),
  'a shard above the folder in an unfinished run': unfinished(
    withPath(({ out, decoy }) => relative(out, join(decoy, 'graphs.jsonl'))),
  ),
  'a sink above the folder': ({ out, decoy }) =>
    change(join(out, '.relflow/shards/00000.json'), (value) => {
      for (const file of value['files'] as Json[]) file['sink'] = relative(out, decoy);
    }),
  'progress that names files elsewhere': unfinished(({ out, decoy }) => {
    rmSync(join(out, '.relflow/shards'), { recursive: true });
    mkdirSync(join(out, '.relflow/partial'), { recursive: true });
    const name = relative(join(out, '.relflow/partial'), join(decoy, 'graphs'));
    const files = { [name]: { records: 0, bytes: 1, sha256: '0'.repeat(64) } };
    writeFileSync(
      join(out, '.relflow/progress.json'),
      JSON.stringify(seal({ format: 'relflow.progress/1', shard: 0, first: 0, records: 1, stages: {}, files })),
    );
  }),
  'a linked .relflow': linked('.relflow', '.'),
  'a linked run.json': linked('.relflow/run.json', 'secret.txt'),
  'a linked manifest': linked('manifest.json', 'secret.txt'),
  'a linked report': unfinished(linked('report.json', 'secret.txt')),
  'a linked marker': linked('.relflow/shards/00000.json', 'secret.txt'),
  'a linked lock': unfinished(linked('.relflow/lock', 'secret.txt')),
  'a linked folder of temporary files': unfinished(linked('.relflow/tmp', '.')),
  'a linked folder of partial shards': unfinished(linked('.relflow/partial', '.')),
  'a linked queue.json': linked('.relflow/queue.json', 'secret.txt'),
  'a linked shard': linked('scene-graphs/00000.jsonl', 'graphs.jsonl'),
  'a linked folder of shards': linked('scene-graphs', '.'),
  'images above the image folder': withImages(({ images, decoy }) => relative(images, join(decoy, 'image.jpg'))),
  'images with absolute paths': withImages(({ decoy }) => join(decoy, 'image.jpg')),
  'images that are links': withImages(() => 'link.jpg'),
};

/**
 * Describes what the commands do with a stranger's folder that refers to files and servers outside it in every known way.
 *
 * @param chosen returns whether an export takes part, by the number of the way and that of the export
 */
export function describeStrangersFolder(chosen: (way: number, number: number) => boolean): void {
  const template = join(temporaryFolder(), 'out');
  const own = process.env['RELFLOW_STATE'];
  let requests = 0;
  let http: Server;
  let redis: RedisServer | null = null;
  let worker: RunningWorker | null = null;

  before(async () => {
    const inputs = ['--annotations', join(SCENES, 'instances.json'), '--captions', join(SCENES, 'captions.json')];
    const { code, stderr } = await relflow(['run', 'coco', ...inputs, '--out', template, '--progress', 'none']);
    assert.equal(code, 0, stderr);
    http = createServer((_, response) => {
      requests++;
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await once(http, 'listening');
    // The commands run as a user who has started nothing.
    process.env['RELFLOW_STATE'] = join(temporaryFolder(), 'state');
    if (!hasRedis()) return;
    redis = await RedisServer.start();
    const graphOf: Parameters<typeof startWorker>[1]['graphOf'] = (folder) =>
      graphOfRun(folder, 'worker', '', { flags: {} });
    worker = await startWorker(queueServer(redis.url), { graphOf });
  });

  after(async () => {
    process.env['RELFLOW_STATE'] = own;
    http.close();
    await worker?.kill();
    await redis?.stop();
  });

  /** Lets a worker process the two jobs of the run. */
  async function work(out: string): Promise<string> {
    if (!redis) return '';
    const connection = queueServer(redis.url).options;
    let stateDigest = '0'.repeat(64);
    try {
      stateDigest = digest(read(join(out, '.relflow/run.json')));
    } catch {}
    const data = {
      run: '00000000-0000-4000-8000-000000000000',
      out,
      stateDigest,
      retries: { attempts: 1, backoff: { type: 'exponential', delay: 1 } },
    };
    const reasons: string[] = [];
    for (const lane of ['source', 'finish']) {
      const queue = new Queue(lane, { connection, prefix: 'relflow' });
      const events = new QueueEvents(lane, { connection, prefix: 'relflow' });
      await events.waitUntilReady();
      const job = await queue.add('job', data);
      await job.waitUntilFinished(events, 20_000).catch((error: Error) => reasons.push(error.message));
      await events.close();
      await queue.close();
    }
    return reasons.join('\n');
  }

  for (const [index, [way, make]] of Object.entries(WAYS).entries())
    it(`with ${way}: nothing outside is read, written, run or sent`, async () => {
      const home = temporaryFolder();
      const [out, decoy, images, exported] = ['out', 'decoy', 'images', 'exported'].map((name) => join(home, name)) as [
        string,
        string,
        string,
        string,
      ];
      for (const folder of [decoy, images, exported]) mkdirSync(folder);
      cpSync(template, out, { recursive: true });
      writeFileSync(join(decoy, 'secret.txt'), CANARY);
      writeFileSync(
        join(decoy, 'graphs.jsonl'),
        readFileSync(join(template, 'scene-graphs/00000.jsonl'), 'utf8').replaceAll(
          '"category":"',
          `"category":"${CANARY} `,
        ),
      );
      const image = readdirSync(join(SCENES, 'images'))[0]!;
      writeFileSync(join(decoy, 'image.jpg'), readFileSync(join(SCENES, 'images', image)));
      symlinkSync(join(decoy, 'image.jpg'), join(images, 'link.jpg'));
      const place = {
        out,
        decoy,
        images,
        url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
        marker: join(home, 'marker'),
      };
      make(place);
      const before = digests(decoy);
      const exports = Object.entries(EXPORT_FORMATS).flatMap(([format, { takes = [] }]: [string, ExportFormat]) => {
        const base = ['export', out, '--format', format, '--out', join(exported, format)];
        if (!takes.includes('images')) return [base];
        const withImages = [...base, '--images', images, '--overwrite'];
        const modes = takes.includes('imageFiles') ? ['embed', 'copy', 'link'] : [];
        return [withImages, ...modes.map((mode) => [...withImages, '--image-files', mode])];
      });
      const commands = [
        ['inspect', '1', out],
        ['validate', out],
        ['stats', out],
        ...exports.filter((_, number) => chosen(index, number)),
        ...(redis ? [['status', out, '--queue', redis.url]] : []),
        ['finish', out],
        ['resume', out, '--progress', 'none'],
      ];
      let shown = await work(out);
      for (const args of commands) {
        const { stdout, stderr } = await relflow(args);
        assert.doesNotMatch(stderr, /error of relflow itself/, `${args[0]}: ${stderr}`);
        shown += stdout + stderr;
      }
      assert.deepEqual(digests(decoy), before, 'nothing is written');
      assert.ok(!existsSync(place.marker), 'nothing is run');
      assert.equal(requests, 0, 'nothing is sent');
      const pixels = readFileSync(join(decoy, 'image.jpg')).subarray(0, 300);
      const files = readdirSync(exported, { recursive: true, withFileTypes: true }).filter(
        (entry) => !entry.isDirectory(),
      );
      const contents = files.map((entry) => readFileSync(join(entry.parentPath, entry.name)));
      shown += Buffer.concat(contents).toString('utf8');
      assert.ok(
        !shown.includes(CANARY),
        `nothing is read: ${shown.slice(Math.max(0, shown.indexOf(CANARY) - 300)).slice(0, 400)}`,
      );
      assert.ok(!contents.some((content) => content.includes(pixels)), 'no image is read');
      assert.ok(!shown.includes(pixels.toString('base64')), 'no image is read');
    });

  it('whose images are refused is exported with their number', async () => {
    const home = temporaryFolder();
    const out = join(home, 'out');
    cpSync(template, out, { recursive: true });
    withImages(() => '../secret.jpg')({ out } as Place);
    const page = join(home, 'page.html');
    const { code, stderr } = await relflow([
      'export',
      out,
      '--format',
      'page',
      '--file',
      page,
      '--images',
      join(SCENES, 'images'),
    ]);
    assert.equal(code, 0, stderr);
    assert.match(readFileSync(page, 'utf8'), /images outside the folder, not shown/);
  });
}
