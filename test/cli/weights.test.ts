import assert from 'node:assert/strict';
import { join } from 'node:path';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

describe('relflow weights', () => {
  const checkpoint = 'test/model/weights/checkpoints/checkpoint.pth';

  it('inspects, converts and compares weights', async () => {
    const inspected = await relflow(['weights', 'inspect', checkpoint]);
    assert.equal(inspected.code, 0);
    assert.match(inspected.stdout, /^a\.weight +F32 +3 × 4 +12$/m);
    const to = join(temporaryFolder(), 'made.safetensors');
    assert.equal((await relflow(['weights', 'convert', checkpoint, to])).code, 0);
    assert.deepEqual(await relflow(['weights', 'diff', checkpoint, to]), {
      code: 0,
      stdout: '',
      stderr: `${checkpoint}: prefixes removed from names: 11 × module.\nno differences\n`,
    });
    const other = await relflow(['weights', 'convert', checkpoint, `${to}.safetensors`, '--model', 'tinyTagger']);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /checkpoint\.pth: does not contain the weights of tinyTagger\n {2}missing: backbone/);
    assert.match(other.stderr, /\n {2}unexpected: a\.weight/);
    const hostile = await relflow(['weights', 'inspect', 'test/model/weights/checkpoints/hostile.pth']);
    assert.equal(hostile.code, 1);
    assert.match(hostile.stderr, /refers to posix\.system, which is rejected/);
  });
});
