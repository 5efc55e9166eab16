import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Queue, QueueEvents } from 'bullmq';
import { Graph, run, sceneGraphLines, sceneGraphs } from '../../src/index.js';
import { queueServer, type RunningWorker, startWorker, submit, type WorkerEvent } from '../../src/queue/index.js';
import { relflow } from '../support/command.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { sceneGraph } from '../support/records.js';
import { hasRedis, RedisServer } from '../support/redis-server.js';

const SECRET = 'a secret of workers';
const RUN = '00000000-0000-4000-8000-000000000000';

describe('jobs from elsewhere', () => {
  const root = temporaryFolder();
  const graphs = join(temporaryFolder(), 'graphs.jsonl');
  let redis: RedisServer;

  const copy = () => {
    const graph = new Graph('copy');
    graph.from(sceneGraphLines({ sceneGraphs: graphs })).to(sceneGraphs());
    return graph;
  };
  const server = (secret?: string) => queueServer(redis.url, secret === undefined ? {} : { secret });

  before(async function () {
    if (!hasRedis()) {
      console.log('      skipped: redis-server is not installed');
      this.skip();
    }
    redis = await RedisServer.start();
    writeFileSync(graphs, [1, 2, 3].map((id) => `${JSON.stringify(sceneGraph(id))}\n`).join(''));
  });

  after(() => redis?.stop());

  /** Adds a job and resolves to why it failed. */
  async function failure(lane: string, data: unknown, opts: object = { attempts: 3 }): Promise<string> {
    const connection = server().options;
    const queue = new Queue(lane, { connection, prefix: 'relflow' });
    const events = new QueueEvents(lane, { connection, prefix: 'relflow' });
    try {
      await events.waitUntilReady();
      const job = await queue.add('job', data, opts);
      return await job.waitUntilFinished(events, 20_000).then(
        () => 'completed',
        async (error: Error) => {
          const { attemptsMade } = (await queue.getJob(job.id!))!;
          assert.equal(attemptsMade, 1, 'it is not tried again');
          return error.message;
        },
      );
    } finally {
      await events.close();
      await queue.close();
    }
  }

  async function withWorker(
    options: { root?: string; secret?: string },
    work: (events: WorkerEvent[]) => Promise<void>,
  ) {
    const events: WorkerEvent[] = [];
    const { secret, ...rest } = options;
    let worker: RunningWorker | null = null;
    try {
      worker = await startWorker(server(secret), {
        graphOf: async () => copy(),
        onEvent: (event) => events.push(event),
        ...rest,
      });
      await work(events);
    } finally {
      await worker?.kill();
    }
  }

  it('are refused with the reason, once, and the worker goes on', async () => {
    const out = join(root, 'out');
    const outside = join(temporaryFolder(), 'out');
    await run(copy(), { out: outside });
    symlinkSync(outside, join(root, 'link'));
    const before = digests(outside);
    const good = {
      run: RUN,
      out,
      stateDigest: '0'.repeat(64),
      retries: { attempts: 5, backoff: { type: 'exponential', delay: 1000 } },
    };
    const shard = { ...good, shard: 0, phase: 1 };
    const bad: [lane: string, data: unknown, reason: RegExp, opts?: object][] = [
      ['source', null, /must be object/],
      ['source', 'x', /must be object/],
      ['source', {}, /must have required property 'run'/],
      ['source', { ...good, run: '../../x' }, /\/run must match/],
      ['source', { ...good, out: 7 }, /\/out must be string/],
      ['source', { ...good, out: '' }, /\/out must NOT have fewer/],
      ['source', { ...good, out: `${out}\0.jsonl` }, /\/out must match/],
      ['source', { ...good, out: 'relative' }, /its folder is not an absolute path/],
      ['source', { ...good, out: '/etc' }, /\/etc is not in .*, the folder of --root/],
      ['source', { ...good, out: join(root, '..') }, /is not in .*, the folder of --root/],
      ['source', { ...good, out: join(root, 'link') }, /is not in .*, the folder of --root/],
      ['source', { ...good, out: join(root, 'nowhere') }, /there is no folder/],
      ['source', { ...good, stateDigest: 'x' }, /\/stateDigest must match/],
      ['source', { ...good, more: 1 }, /must NOT have additional properties/],
      ['source', shard, /must NOT have additional properties/],
      [
        'finish',
        { ...good, retries: { attempts: 1e9, backoff: { type: 'exponential', delay: 0 } } },
        /attempts must be <= 1000/,
      ],
      [
        'finish',
        { ...good, retries: { attempts: 5, backoff: { type: 'custom', delay: 0 } } },
        /backoff\/type must be equal/,
      ],
      ['cpu', good, /must have required property 'shard'/],
      ['cpu', { ...shard, shard: -1 }, /\/shard must be >= 0/],
      ['cpu', { ...shard, shard: 1.5 }, /\/shard must be integer/],
      ['cpu', { ...shard, shard: '../../../etc/passwd' }, /\/shard must be integer/],
      ['cpu', { ...shard, shard: 1e300 }, /\/shard must be <= 999999999/],
      ['tagging', { ...shard, phase: 0 }, /\/phase must be >= 1/],
      ['captions', { ...shard, phase: 'x' }, /\/phase must be integer/],
      ['cpu', shard, /it has 1000000 attempts/, { attempts: 1e6 }],
    ];
    await withWorker({ root }, async (events) => {
      for (const [lane, data, reason, opts] of bad)
        assert.match(await failure(lane, data, opts), reason, JSON.stringify(data));
      assert.equal(events.filter(({ event }) => event === 'failed').length, bad.length);
      mkdirSync(out, { recursive: true });
      const { folder } = await submit(copy(), server(), { out });
      // The last file that the end of a run removes.
      const isEnding = async () => !(await folder.isFinished()) || existsSync(folder.internalPath('queue.json'));
      while (await isEnding()) await new Promise((resolve) => setTimeout(resolve, 50));
    });
    assert.deepEqual(digests(outside), before);
    assert.deepEqual(digests(out), before);
  });

  it('need the signature of a secret that the worker has', async () => {
    const out = join(root, 'signed');
    await withWorker({ secret: SECRET }, async () => {
      mkdirSync(out);
      const { folder } = await submit(copy(), server(SECRET), { out, shardRecords: 1 });
      while (!(await folder.isFinished())) await new Promise((resolve) => setTimeout(resolve, 50));
      const unsigned = {
        run: RUN,
        out,
        stateDigest: '0'.repeat(64),
        retries: { attempts: 5, backoff: { type: 'exponential', delay: 1 } },
      };
      for (const data of [unsigned, { ...unsigned, signature: 'f'.repeat(64) }, { ...unsigned, signature: 'f' }])
        assert.match(await failure('finish', data), /not signed with the secret|\/signature must match/);
      // The signature covers every field.
      const queue = new Queue('finish', { connection: server().options, prefix: 'relflow' });
      const [taken] = (await queue.getJobs(['completed'])).filter(({ data }) => data.signature !== undefined);
      await queue.close();
      assert.match(await failure('finish', { ...taken!.data, out: join(root, 'out') }), /not signed with the secret/);
    });
    assert.throws(() => server('short'), /the secret has 5 characters, expected at least 16/);
  });

  it('run a run that somebody else put into the folder only with --trust and --root', async () => {
    const out = join(root, 'foreign');
    const marker = join(temporaryFolder(), 'marker');
    const module = join(temporaryFolder(), 'evil.mjs');
    writeFileSync(module, `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(marker)}, 'ran');`);
    mkdirSync(join(out, '.relflow'), { recursive: true });
    const state = {
      format: 'relflow.run/1',
      relflow: '0.1.0',
      pipeline: 'copy',
      options: { recipe: module, options: {}, exports: [] },
      graph: [],
      inputs: [],
      sharding: { records: 1, bytes: null, gzip: false },
    };
    writeFileSync(join(out, '.relflow/run.json'), JSON.stringify(state));
    const { digest } = await import('../../src/files/digest.js');
    const job = {
      run: RUN,
      out,
      stateDigest: digest(state),
      retries: { attempts: 5, backoff: { type: 'exponential', delay: 1 } },
    };
    const { graphOfRun } = await import('../../src/cli/saved-run.js');
    const worker = await startWorker(server(), {
      graphOf: (folder) => graphOfRun(folder, 'worker', '', { flags: {} }),
    });
    try {
      for (const lane of ['source', 'finish'])
        assert.match(await failure(lane, job), /was not started by you on this machine.*it would run the module/);
    } finally {
      await worker.kill();
    }
    assert.ok(!existsSync(marker));
    const wrong = await relflow(['worker', '--queue', redis.url, '--trust']);
    assert.match(wrong.stderr, /--trust needs --root/);
  });

  it('continue no shard whose pending records name files or nodes that the run does not have', async () => {
    const { readWork } = await import('../../src/run-folder/work-files.js');
    const item = { ordinal: 0, writes: [], rejects: [], stages: {}, pending: [] };
    const hostile: [object, RegExp][] = [
      [
        { writes: [{ sink: '../../../evil', path: '', line: 'x' }] },
        /"\.\.\/\.\.\/\.\.\/evil" is not a node of the graph/,
      ],
      [{ writes: [{ sink: 'scene-graphs', path: '', line: 'a\nb' }] }, /\/writes\/0\/line must match/],
      [{ pending: [{ node: 'x', trail: [], path: '', record: {} }] }, /"x" is not a node/],
      [
        { pending: [{ node: 'scene-graphs', trail: ['__proto__'], path: '', record: {} }] },
        /"__proto__" is not a node/,
      ],
      [{ pending: [{ node: 'scene-graphs', trail: [], path: '', record: 7 }] }, /record must be object/],
      [{ stages: { x: {} } }, /\/stages\/x must have/],
      [{ writes: 'x' }, /\/writes must be array/],
    ];
    for (const [change, reason] of hostile) {
      const file = join(temporaryFolder(), '00000.1.jsonl');
      mkdirSync(dirname(file), { recursive: true });
      appendFileSync(file, `${JSON.stringify({ ...item, ...change })}\n`);
      await assert.rejects(readWork(file, 0, new Set(['scene-graphs'])).next(), reason);
    }
  });
});
