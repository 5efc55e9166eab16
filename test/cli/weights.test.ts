import assert from 'node:assert/strict';
import { join } from 'node:path';
import { writeSafetensors } from '../../src/files/write-safetensors.js';
import { tiny } from '../../src/model/presets.js';
import { RlipV2 } from '../../src/model/rlip-v2.js';
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

  it('converts weights of fewer queries than the preset has, and records their number in the header', async () => {
    const folder = temporaryFolder();
    const [from, to] = [join(folder, 'few.safetensors'), join(folder, 'converted.safetensors')];
    const { parameters } = new RlipV2({ ...tiny.parseda, pairs: 5 });
    const arrays = [...parameters.values()].map(({ name, shape, size }) => ({
      name,
      shape,
      read: async () => new Float32Array(size),
    }));
    await writeSafetensors(from, arrays);
    const { code, stderr } = await relflow(['weights', 'convert', from, to, '--model', 'tinyParseda']);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /few\.safetensors: has 10 queries; the header says 5 pairs/);
    const { stdout } = await relflow(['weights', 'inspect', to, '--json']);
    assert.equal(JSON.parse(JSON.parse(stdout).__metadata__.config).pairs, 5);
  });
});
