import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ended, relflow, start } from '../support/command.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { type ReferenceRun, referenceRun } from '../support/interrupted-run.js';

describe('a run that is interrupted', () => {
  let reference: ReferenceRun;

  before(async () => {
    reference = await referenceRun(400);
  });

  it('by Ctrl-C finishes the records in flight, prints how to resume, and loses nothing', async () => {
    let out = '';
    let end: Ended;
    do {
      out = join(temporaryFolder(), 'out');
      const { process: child, ended } = start([...reference.args, '--out', out]);
      while (!existsSync(join(out, '.relflow/shards/00002.json')) && child.exitCode === null) await sleep(5);
      child.kill('SIGINT');
      end = await ended;
      // On a busy machine the run may complete before it is interrupted.
    } while (end.code === 0);
    assert.equal(end.code, 130, end.stderr);
    assert.match(end.stdout, /stopped after \d+ records, which are kept; to continue: relflow resume /);
    assert.match(end.stderr, /stopping: finishing the records in flight/);
    const resumed = await relflow(['resume', out, '--quiet']);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.deepEqual(digests(out), reference.files);
  });
});
