import assert from 'node:assert/strict';
import { join } from 'node:path';
import { relflow, start } from '../support/command.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { prepareQueuedRun } from '../support/queued-run.js';
import { hasRedis, RedisServer } from '../support/redis-server.js';
import { WorkerCrowd } from '../support/worker-crowd.js';

const IMAGES = 120;
const SHARDS = 6;

describe('a run by workers of a queue', () => {
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

  it('gives the bytes of one process', async () => {
    const out = join(temporaryFolder(), 'out');
    const workers = new WorkerCrowd(['--queue', redis.url, '--heartbeat', '1']);
    workers.add();
    workers.add();
    const { ended } = start([...run, '--out', out, '--queue', redis.url]);
    const { code, stderr } = await ended;
    await workers.stop();
    assert.equal(code, 0, stderr);
    assert.deepEqual(digests(out), expected);
  });

  it('names what is missing: a server, a valid address, a worker', async () => {
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
