import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunFolder } from '../../src/index.js';
import { packageRoot } from '../../src/package-info.js';
import { queueServer } from '../../src/queue/index.js';
import { openQueue } from '../../src/queue/queues.js';
import { relflow, relflowProcess, SCENES, start } from '../support/command.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { NetworkNamespaces } from '../support/network-namespaces.js';
import { prepareQueuedRun } from '../support/queued-run.js';
import { hasRedis, RedisServer } from '../support/redis-server.js';
import { type ReportedEvent, WorkerCrowd } from '../support/worker-crowd.js';

const IMAGES = 1800;
const SHARDS = 36;
/** Longer than the heartbeat; `RELFLOW_TEST_CUT_SECONDS=60` cuts the connection for a minute. */
const CUT_MILLISECONDS = 1000 * Number(process.env['RELFLOW_TEST_CUT_SECONDS'] ?? 8);

describe('a run by workers of a queue under kills, cuts and limits', () => {
  let redis: RedisServer;
  let run: string[];
  let expected: Record<string, string>;

  before(async function () {
    if (!hasRedis()) {
      console.log('      skipped: redis-server is not installed');
      this.skip();
    }
    redis = await RedisServer.start();
    ({ run, expected } = await prepareQueuedRun(IMAGES, SHARDS));
  });

  after(() => redis?.stop());

  it('gives the bytes of one process when workers are killed and the server is restarted', async () => {
    const out = join(temporaryFolder(), 'out');
    const workers = new WorkerCrowd(['--queue', redis.url, '--heartbeat', '3']);
    for (let count = 0; count < 4; count++) workers.add();
    const { ended } = start([...run, '--out', out, '--queue', redis.url]);
    const end = { code: null as number | null, stderr: '' };
    void ended.then((how) => Object.assign(end, how));
    let restarts = 0;
    let kills = 0;
    const folder = new RunFolder(out);
    while (end.code === null && !end.stderr) {
      await sleep(300);
      const shards = (await folder.completeShards()).size;
      if (restarts === 0 && shards > SHARDS / 3) {
        restarts++;
        await redis.restart(500);
      }
      // Two kills before the restart and two after it, each after a sixth of the shards.
      if (kills < 4 && shards > ((kills + 1) * SHARDS) / 6) workers.kill(kills++);
    }
    const events = await workers.stop();
    assert.equal(end.code, 0, end.stderr);
    assert.equal(restarts, 1);
    assert.ok(kills >= 2, `${kills} kills`);
    assert.deepEqual(digests(out), expected);
    // A job of a shard that is already complete does not process it again.
    const done = events.filter(({ event }) => event === 'started').length - results(events, 'already-complete');
    const inFlight = workers.crashes + 4 * restarts;
    assert.ok(
      done <= SHARDS + inFlight,
      `${done} shards processed, expected at most ${SHARDS} and ${inFlight} in flight`,
    );
    assert.ok(events.some(({ event }) => event === 'finished'));
  });

  it('gives the same bytes when one of two machines loses its connection for a while', async function () {
    const network = NetworkNamespaces.create();
    if (!network) {
      console.log('      skipped: no network namespaces can be made here');
      this.skip();
    }
    let server: RedisServer | null = null;
    const workers: WorkerCrowd[] = [];
    const stop = () => Promise.all(workers.map((crowd) => crowd.stop()));
    try {
      server = await RedisServer.start(network.host);
      const out = join(temporaryFolder(), 'out');
      for (const machine of [0, 1]) {
        const crowd = new WorkerCrowd(['--queue', server.url, '--heartbeat', '3']);
        crowd.add(network.wrapper(machine));
        workers.push(crowd);
      }
      const folder = new RunFolder(out);
      const { ended } = start([...run, '--out', out, '--queue', server.url]);
      const started = async () => {
        while ((await folder.completeShards()).size < 5) await sleep(200);
      };
      await Promise.race([started(), ended]);
      network.cut(1, true);
      await sleep(CUT_MILLISECONDS);
      network.cut(1, false);
      const { code, stderr } = await ended;
      assert.equal(code, 0, stderr);
      // The worker that lost its connection may have been working until now.
      await stop();
      assert.deepEqual(digests(out), expected);
      assert.equal(workers[0]!.crashes + workers[1]!.crashes, 0);
    } finally {
      await stop();
      await server?.stop();
      network.remove();
    }
  });

  it('rejects records that crash their process or never finish, names their images, and processes the others', async () => {
    const out = join(temporaryFolder(), 'out');
    const workers = new WorkerCrowd(['--queue', redis.url, '--heartbeat', '1', '--record-timeout', '3']);
    workers.add();
    workers.add();
    const args = ['--shard-records', '20', '--out', out, '--queue', redis.url, '--quiet', '--json'];
    const { code, stdout, stderr } = await relflowProcess(['run', ownRecipe('poison', poison), ...args]);
    const events = await workers.stop();
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { records: number }).records, 100);
    const rejects: { image?: unknown; reason: string; message: string }[] = [];
    for await (const reject of new RunFolder(out).lines('rejects', 'reject')) rejects.push(reject);
    assert.deepEqual(
      rejects.map(({ image, reason, message }) => [image, reason, message]),
      [
        [33, 'process-crashed', 'image 33 crashed its process 2 times (SIGABRT)'],
        [57, 'record-timeout', 'image 57 did not finish within 3 s, 2 times'],
      ],
    );
    const images: unknown[] = [];
    for await (const { image } of new RunFolder(out).lines('scene-graphs', 'scene-graph')) images.push(image.id);
    assert.deepEqual(
      images,
      Array.from({ length: 100 }, (_, index) => index + 1).filter((id) => id !== 33 && id !== 57),
    );
    // On a busy machine the worker that isolates the shard may also miss its heartbeat.
    assert.ok(events.some(({ event }) => event === 'isolated'));
    const { code: validated } = await relflow(['validate', out]);
    assert.equal(validated, 0);
  });

  it('shares tagging by a model among machines that do nothing else, and gives the bytes of one process', async () => {
    const inputs = ['annotations', 'captions', 'images'].flatMap((name) => [
      `--${name}`,
      join(SCENES, { annotations: 'instances.json', captions: 'captions.json', images: 'images' }[name]!),
    ]);
    const options = ['--tagger', 'sprites', '--backend', 'wasm', '--threads', '1', '--shard-records', '3', '--quiet'];
    const tagged = ['run', 'coco', ...inputs, ...options];
    const alone = join(temporaryFolder(), 'out');
    const one = await relflow([...tagged, '--out', alone]);
    assert.equal(one.code, 0, one.stderr);
    const server = ['--queue', redis.url];
    const others = new WorkerCrowd([...server, '--only', 'source,captions,cpu,finish']);
    others.add();
    const taggers = [0, 1].map(() => new WorkerCrowd([...server, '--only', 'tagging', '--concurrency', '2']));
    for (const tagger of taggers) tagger.add();
    const out = join(temporaryFolder(), 'out');
    const queued = await start([...tagged, '--out', out, ...server]).ended;
    const events = await Promise.all(taggers.map((tagger) => tagger.stop()));
    await others.stop();
    assert.equal(queued.code, 0, queued.stderr);
    assert.deepEqual(digests(out), digests(alone));
    const shards = events.map((list) => list.filter(({ event }) => event === 'started').length);
    assert.equal(shards[0]! + shards[1]!, 8);
    assert.ok(Math.min(...shards) > 0, `shards of the two machines: ${shards.join(' and ')}`);
  });

  it('respects limits over all workers', async () => {
    const out = join(temporaryFolder(), 'out');
    const workers = new WorkerCrowd(['--queue', redis.url]);
    workers.add();
    workers.add();
    const args = ['--shard-records', '20', '--out', out, '--queue', redis.url, '--quiet'];
    const start = Date.now();
    // 20 images per shard and 1,200 per minute: one shard per second.
    args.push('--lane-limit', 'captions=1', '--lane-rate', 'tagging=1200');
    const { code, stderr } = await relflowProcess(['run', ownRecipe('limited', limited), ...args]);
    const events = await workers.stop();
    assert.equal(code, 0, stderr);
    const times = (event: string, phase: number) =>
      events.flatMap((one) => (one.event === event && one.phase === phase ? [Date.parse(one.at)] : [])).sort();
    const [started, ended] = [times('started', 1), times('shard', 1)];
    assert.equal(started.length, 5);
    for (let next = 1; next < 5; next++)
      assert.ok(started[next]! >= ended[next - 1]!, `two at once: ${started} ${ended}`);
    // The times at which the queue handed the jobs out: a busy machine may start them later.
    const tagging = openQueue(queueServer(redis.url), 'tagging');
    const given = (await tagging.getCompleted())
      .map(({ processedOn }) => processedOn ?? 0)
      // Without the jobs of other runs.
      .filter((time) => time >= start)
      .sort();
    await tagging.close();
    assert.equal(given.length, 5);
    assert.ok(given[4]! - given[0]! > 3000, `5 shards within ${given[4]! - given[0]!} ms`);
    const wrong = await relflowProcess(['run', ownRecipe('limited', limited), ...args, '--lane-limit', 'writing=1']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /run: --lane-limit writing=1, expected a lane and a number above 0 such as captions=4/);
  });
});

function results(events: readonly ReportedEvent[], wanted: string): number {
  return events.filter(({ result }) => result === wanted).length;
}

/** Writes a user's recipe: images 1 to 100 through the operators of `stages`. */
function ownRecipe(name: string, stages: string): string {
  const file = join(temporaryFolder(), `${name}.mjs`);
  writeFileSync(
    file,
    `
import { fromIterable, Graph, operator, sceneGraphs } from ${JSON.stringify(join(packageRoot, 'dist/src/index.js'))};

const image = (id) => ({
  image: { id, file: id + '.jpg', width: 9, height: 9, dataset: 'own', split: '' },
  detections: [],
  origin: { source: 'own', file: 'none' },
});
${stages}
export default {
  name: '${name}',
  summary: 'a recipe of a test',
  examples: [],
  options: { type: 'object', properties: {} },
  build: () => {
    const graph = new Graph('${name}');
    const images = Array.from({ length: 100 }, (_, index) => image(index + 1));
    stages(graph.from(fromIterable('images', ['image', 'detections', 'origin'], images))).to(sceneGraphs());
    return graph;
  },
};
`,
  );
  return file;
}

/** One image crashes the process, and one never finishes. */
const poison = `
const deadly = operator({
  name: 'deadly',
  version: '1',
  needs: ['image'],
  adds: ['relations', 'tagger'],
  apply: ({ image }) => {
    if (image.id === 33) process.abort();
    if (image.id === 57) return new Promise(() => {});
    return { relations: [], tagger: null };
  },
});
const stages = (flow) => flow.pipe(deadly);
`;

/** Captions that take 5 ms per image, and a stage of the lane `tagging`. */
const limited = `
const describe = operator({
  name: 'describe',
  version: '1',
  needs: ['image'],
  adds: ['captions'],
  lane: 'captions',
  apply: () => new Promise((resolve) => setTimeout(resolve, 5, { captions: [] })),
});
const relate = operator({
  name: 'relate',
  version: '1',
  needs: ['captions'],
  adds: ['relations', 'tagger'],
  lane: 'tagging',
  apply: () => ({ relations: [], tagger: null }),
});
const stages = (flow) => flow.pipe(describe).pipe(relate);
`;
