import assert from 'node:assert/strict';
import { join } from 'node:path';
import { relflow } from '../support/command.js';
import { digests, temporaryFolder } from '../support/folders.js';

describe('the pipeline demo', () => {
  it('writes the same bytes each time, the report page included', async () => {
    const [first, second] = [join(temporaryFolder(), 'out'), join(temporaryFolder(), 'out')];
    for (const out of [first, second]) assert.equal((await relflow(['run', 'demo', '--out', out, '--quiet'])).code, 0);
    assert.deepEqual(digests(second), digests(first));
    assert.ok('report.html' in digests(first));
  });
});
