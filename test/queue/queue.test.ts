import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunFolder } from '../../src/index.js';
import { packageRoot } from '../../src/package-info.js';
import { queueServer } from '../../src/queue/index.js';
import { queueOf } from '../../src/queue/queues.js';
import { relflow, start } from '../support/command.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { NetworkNamespaces } from '../support/network-namespaces.js';
import { hasRedis, RedisServer } from '../support/redis-server.js';
import { writeSyntheticCoco } from '../support/synthetic-coco.js';
import { type Said, WorkerCrowd } from '../support/worker-crowd.js';

const IMAGES = 3000;
const SHARDS = 60;
/** Longer than the heartbeat; `RELFLOW_TEST_CUT_SECONDS=60` cuts for a minute. */
const CUT_MILLISECONDS = 1000 * Number(process.env['RELFLOW_TEST_CUT_SECONDS'] ?? 8);

describe('a run by workers of a queue', function () {
  this.timeout(300_000);
  let redis: RedisServer;
  let run: string[];
  let whole: Record<string, string>;

  before(async function () {
    if (!hasRedis()) {
      console.log('      skipped: redis-server is not installed');
      this.skip();
    }
    redis = await RedisServer.start();
    const { annotations, captions } = writeSyntheticCoco(temporaryFolder(), IMAGES);
    run = ['run', 'coco', '--annotations', annotations, '--captions', captions, '--export', 'rlipv2', '--quiet'];
    run.push('--shard-records', String(IMAGES / SHARDS));
    const out = join(temporaryFolder(), 'out');
    const { code, stderr } = await relflow([...run, '--out', out]);
    assert.equal(code, 0, stderr);
    whole = digests(out);
  });

  after(() => redis?.stop());

  it('ends with the bytes of one process, though workers are killed and the server is restarted', async () => {
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
      // Two kills before the restart and two after it, each when some more shards are whole.
      if (kills < 4 && shards > ((kills + 1) * SHARDS) / 6) workers.kill(kills++);
    }
    const said = await workers.stop();
    assert.equal(end.code, 0, end.stderr);
    assert.equal(restarts, 1);
    assert.ok(kills >= 2, `${kills} kills`);
    assert.deepEqual(digests(out), whole);
    // A shard that was whole when its turn came again was not done again.
    const done = said.filter(({ event }) => event === 'started').length - results(said, 'already-complete');
    const inFlight = workers.deaths + 4 * restarts;
    assert.ok(done <= SHARDS + inFlight, `${done} shards done, ${SHARDS} there, ${inFlight} may have been in flight`);
    assert.ok(said.some(({ event }) => event === 'finished'));
  });

  it('ends with the same bytes where one of two machines is cut off for a while', async function () {
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
      const begun = async () => {
        while ((await folder.completeShards()).size < 5) await sleep(200);
      };
      await Promise.race([begun(), ended]);
      network.cut(1, true);
      await sleep(CUT_MILLISECONDS);
      network.cut(1, false);
      const { code, stderr } = await ended;
      assert.equal(code, 0, stderr);
      // The one that was cut off may have been at work until now.
      await stop();
      assert.deepEqual(digests(out), whole);
      assert.equal(workers[0]!.deaths + workers[1]!.deaths, 0);
    } finally {
      await stop();
      await server?.stop();
      network.remove();
    }
  });

  it('refuses the records that end their process or never end, names their images, and does the rest', async () => {
    const out = join(temporaryFolder(), 'out');
    const workers = new WorkerCrowd(['--queue', redis.url, '--heartbeat', '1', '--record-timeout', '3']);
    workers.add();
    workers.add();
    const args = ['--shard-records', '20', '--out', out, '--queue', redis.url, '--quiet', '--json'];
    const { code, stdout, stderr } = await relflow(['run', ownRecipe('poison', poison), ...args]);
    const said = await workers.stop();
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
    // On a busy machine the worker that isolates it may be thought lost, too.
    assert.ok(said.some(({ event }) => event === 'isolated'));
    const { code: validated } = await relflow(['validate', out]);
    assert.equal(validated, 0);
  });

  it('keeps to limits that hold over all workers', async () => {
    const out = join(temporaryFolder(), 'out');
    const workers = new WorkerCrowd(['--queue', redis.url]);
    workers.add();
    workers.add();
    const args = ['--shard-records', '20', '--out', out, '--queue', redis.url, '--quiet'];
    // 20 images a shard, 1,200 a minute: a shard a second.
    args.push('--lane-limit', 'captions=1', '--lane-rate', 'tagging=1200');
    const { code, stderr } = await relflow(['run', ownRecipe('limited', limited), ...args]);
    const said = await workers.stop();
    assert.equal(code, 0, stderr);
    const times = (event: string, phase: number) =>
      said.flatMap((one) => (one.event === event && one.phase === phase ? [Date.parse(one.at)] : [])).sort();
    const [begun, ended] = [times('started', 1), times('shard', 1)];
    assert.equal(begun.length, 5);
    for (let next = 1; next < 5; next++) assert.ok(begun[next]! >= ended[next - 1]!, `two at once: ${begun} ${ended}`);
    // When the queue gave them out, however long a busy machine then took to begin.
    const tagging = queueOf(queueServer(redis.url), 'tagging');
    const given = (await tagging.getCompleted()).map(({ processedOn }) => processedOn ?? 0).sort();
    await tagging.close();
    assert.equal(given.length, 5);
    assert.ok(given[4]! - given[0]! > 3000, `5 shards within ${given[4]! - given[0]!} ms`);
    const wrong = await relflow(['run', ownRecipe('limited', limited), ...args, '--lane-limit', 'writing=1']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /run: --lane-limit writing=1, expected captions=4, tagging=2…/);
  });

  it('says what it lacks: a server, an address, a worker', async () => {
    const out = join(temporaryFolder(), 'out');
    const nowhere = await relflow([...run, '--out', out, '--queue', 'redis://127.0.0.1:1']);
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /^relflow: redis:\/\/127.0.0.1:1: cannot be reached: .*ECONNREFUSED/);
    const wrong = await relflow(['worker', '--queue', 'http://user:secret@host']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /queue: invalid address, expected redis:\/\/host:port/);
    assert.doesNotMatch(wrong.stderr, /secret/);
    const detached = await relflow([...run, '--out', out, '--queue', redis.url, '--detach']);
    assert.equal(detached.code, 0, detached.stderr);
    const { stdout } = await relflow(['status', out, '--queue', redis.url, '--json']);
    const status = JSON.parse(stdout) as { state: string; lanes: { lane: string; workers: number; waiting: number }[] };
    assert.equal(status.state, 'working');
    assert.deepEqual(status.lanes[0], { lane: 'source', workers: 0, waiting: 1, active: 0, delayed: 0, failed: 0 });
    // The same command again joins the run.
    const again = await relflow([...run, '--out', out, '--queue', redis.url, '--detach', '--json']);
    assert.equal((JSON.parse(again.stdout) as { joined: boolean }).joined, true);
  });
});

function results(said: readonly Said[], wanted: string): number {
  return said.filter(({ result }) => result === wanted).length;
}

/** Writes a recipe of a user's own: images from 1 to 100 through operators that `stages` makes. */
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

/** One image ends the process, and one never ends. */
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

/** Captions of 5 ms an image, and then something for those that tag. */
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
