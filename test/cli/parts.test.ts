import assert from 'node:assert/strict';
import { join } from 'node:path';
import { relflow } from '../support/command.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { writeSyntheticCoco } from '../support/synthetic-coco.js';

describe('relflow run --shard', () => {
  it('runs parts that relflow finish completes to a run', async () => {
    const { annotations, captions } = writeSyntheticCoco(temporaryFolder(), 300);
    const run = ['run', 'coco', '--annotations', annotations, '--captions', captions, '--export', 'rlipv2', '--quiet'];
    run.push('--shard-records', '40');
    const [expected, out] = [join(temporaryFolder(), 'out'), join(temporaryFolder(), 'out')];
    assert.equal((await relflow([...run, '--out', expected])).code, 0);

    const first = await relflow([...run, '--out', out, '--shard', '2/2', '--json']);
    assert.equal(first.code, 0, first.stderr);
    const { part, parts, shards, records, finished } = JSON.parse(first.stdout) as Record<string, unknown>;
    assert.deepEqual([part, parts, shards, records, finished], [2, 2, 4, 140, true]);
    const early = await relflow(['finish', out]);
    assert.equal(early.code, 1);
    assert.match(early.stderr, /cannot be finished: 4 of 8 shards are missing: 0, 2, 4, 6/);
    const resumed = await relflow(['resume', out]);
    assert.equal(resumed.code, 1);
    assert.match(resumed.stderr, /this run is split over several processes; continue with run --shard or run --queue/);

    const second = await relflow([...run, '--out', out, '--shard', '1/2']);
    assert.match(second.stdout, /part 1\/2: 4 shards, 160 records .*\nwhen all parts are done: relflow finish/);
    const end = await relflow(['finish', out]);
    assert.equal(end.code, 0, end.stderr);
    assert.deepEqual(digests(out), digests(expected));
  });

  it('rejects an invalid part and options that do not apply to parts', async () => {
    const { code, stderr } = await relflow(['run', 'demo', '--out', 'nowhere', '--shard', '3']);
    assert.equal(code, 2);
    assert.match(stderr, /Expected a part and the number of parts, such as 2\/8/);
    const bytes = await relflow(['run', 'demo', '--out', 'nowhere', '--shard', '1/2', '--shard-bytes', '9']);
    assert.equal(bytes.code, 2);
    assert.match(bytes.stderr, /'--shard <i\/n>' cannot be used with option '--shard-bytes <number>'/);
  });
});
