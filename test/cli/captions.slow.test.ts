import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../src/records/random.js';
import { captionedScenes, countAnswers, SCENE_COUNT } from '../support/captioned-scenes.js';
import { relflow, start } from '../support/command.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { ModelServer } from '../support/model-server.js';

const CAPTIONS = 8;
const REQUESTS_AT_ONCE = 4;

describe('relflow with a captioner, killed at random moments', () => {
  const environment = process.env['RELFLOW_STORE'];
  const store = join(temporaryFolder(), 'store');
  let server: ModelServer;

  before(async () => {
    process.env['RELFLOW_STORE'] = store;
    server = await ModelServer.start({ latencyMs: 20 });
  });
  after(async () => {
    if (environment === undefined) delete process.env['RELFLOW_STORE'];
    else process.env['RELFLOW_STORE'] = environment;
    await server.close();
  });

  it('loses only the answers on the wire, at most as many as requests in flight', async () => {
    const out = join(temporaryFolder(), 'graphs');
    const options = ['--n-captions', String(CAPTIONS), '--requests-at-once', String(REQUESTS_AT_ONCE), '--out', out];
    const run = ['run', ...captionedScenes(server, ...options)];
    const answered = () => server.seen.filter((seen) => seen.answered).length;
    const random = new Random(2);
    const lost: number[] = [];
    while (lost.length < 5) {
      const resumes = existsSync(join(out, '.relflow/run.json'));
      const { process: child, ended } = start([...(resumes ? ['resume', out] : run), '--quiet']);
      const before = server.seen.length;
      while (server.seen.length < before + 10 && child.exitCode === null) await sleep(1);
      await sleep(100 * random.next());
      child.kill('SIGKILL');
      if ((await ended).code === 0) break;
      await server.idle();
      lost.push(answered() - (await countAnswers(store)) - sum(lost));
    }
    const { code, stderr } = await relflow(['resume', out, '--quiet']);
    assert.equal(code, 0, stderr);
    console.log(`      ${lost.length} kills lost ${lost.join(' + ')} answers of ${SCENE_COUNT * CAPTIONS} captions`);
    // An answer on the wire is lost and requested again. All others are requested once.
    assert.ok(
      lost.every((count) => count >= 0 && count <= REQUESTS_AT_ONCE),
      `${lost}`,
    );
    assert.equal(answered(), SCENE_COUNT * CAPTIONS + sum(lost));
    assert.equal(server.answers.size, SCENE_COUNT * CAPTIONS);
    assert.equal(await countAnswers(store), SCENE_COUNT * CAPTIONS);
  });

  it('loses no answer by kill -9 and requests only the missing ones, once each', async () => {
    const other = join(temporaryFolder(), 'store');
    process.env['RELFLOW_STORE'] = other;
    const answersInStore = () => countAnswers(other);
    const server = await ModelServer.start({
      fault: () => {
        if (server.seen.length === 39) server.hold();
        return null;
      },
    });
    const out = join(temporaryFolder(), 'graphs');
    const { process: child, ended } = start([
      'run',
      ...captionedScenes(server, '--n-captions', '5', '--out', out),
      '--quiet',
    ]);
    // 39 answers are in the store; the next requests are in flight when the process dies.
    while (server.seen.length < 47 || (await answersInStore()) < 39) await sleep(10);
    child.kill('SIGKILL');
    await ended;
    await server.idle();
    server.release();
    assert.equal(await answersInStore(), 39);
    const resumed = await relflow(['resume', out, '--quiet']);
    assert.equal(resumed.code, 0, resumed.stderr);
    const successful = server.seen.filter(({ answered }) => answered).length;
    assert.equal(successful, SCENE_COUNT * 5);
    assert.equal(server.answers.size, SCENE_COUNT * 5);
    const expected = join(temporaryFolder(), 'expected');
    await relflow(['run', ...captionedScenes(server, '--n-captions', '5', '--out', expected), '--quiet']);
    assert.deepEqual(digests(out), digests(expected));
    await server.close();
  });
});

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
