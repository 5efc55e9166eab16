import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, relflow, start } from '../support/command.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { writeSyntheticCoco } from '../support/synthetic-coco.js';

const KILLS = 6;

describe('a run that is interrupted', function () {
  this.timeout(300_000);
  let run: string[];
  let whole: Record<string, string>;
  let milliseconds: number;

  before(async () => {
    const { annotations, captions } = writeSyntheticCoco(temporaryFolder(), 2000);
    run = [
      'run',
      'coco',
      '--annotations',
      annotations,
      '--captions',
      captions,
      '--shard-records',
      '50',
      '--export',
      'rlipv2',
      '--quiet',
    ];
    const out = join(temporaryFolder(), 'out');
    // Builds what is run, which is no part of how long a run takes.
    command();
    const begun = performance.now();
    const { code, stderr } = await relflow([...run, '--out', out]);
    assert.equal(code, 0, stderr);
    milliseconds = performance.now() - begun;
    whole = digests(out);
  });

  it(`by kill -9 at ${KILLS} random moments, each time ends with the same bytes`, async () => {
    let kills = 0;
    for (let out = ''; kills < KILLS; ) {
      out ||= join(temporaryFolder(), 'out');
      const fresh = !existsSync(join(out, '.relflow/run.json'));
      const { process: child, ended } = start(
        fresh ? [...run, '--out', out, '--overwrite'] : ['resume', out, '--quiet'],
      );
      const begun = performance.now();
      const timer = setTimeout(() => child.kill('SIGKILL'), Math.random() * milliseconds);
      const { code, stderr } = await ended;
      clearTimeout(timer);
      // A machine that has become faster would be done before most kills.
      if (code !== null && fresh) milliseconds = performance.now() - begun;
      if (code === null) {
        kills++;
        continue;
      }
      assert.equal(code, 0, stderr);
      assert.deepEqual(digests(out), whole);
      out = '';
    }
  });

  it('by Ctrl-C finishes what is in flight, says how to go on, and loses nothing', async () => {
    const out = join(temporaryFolder(), 'out');
    const { process: child, ended } = start([...run, '--out', out]);
    while (!existsSync(join(out, '.relflow/shards/00002.json'))) await sleep(5);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 130, stderr);
    assert.match(stdout, /stopped after \d+ records, all kept; go on with: relflow resume /);
    assert.match(stderr, /stopping: finishing what is in flight/);
    const resumed = await relflow(['resume', out, '--quiet']);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.deepEqual(digests(out), whole);
  });
});
