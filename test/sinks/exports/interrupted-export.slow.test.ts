import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { relflow, SCENES, start } from '../../support/command.js';
import { digests, temporaryFolder } from '../../support/folders.js';

describe('an export with embedded images that is killed', function () {
  this.timeout(300_000);
  const images = temporaryFolder();
  const folder = temporaryFolder();
  const run = join(folder, 'run');
  const args = (out: string) => [
    'export',
    run,
    '--format',
    'huggingface',
    '--images',
    images,
    '--out',
    join(folder, out),
  ];
  const staging = () => readdirSync(folder).find((name) => name.endsWith('.partial'));

  before(async () => {
    // Large enough that a Parquet file takes seven of them; all but their first bytes is a hole.
    for (const name of readdirSync(join(SCENES, 'images')).sort().slice(0, 10)) {
      writeFileSync(join(images, name), Buffer.from('ffd8ffe0', 'hex'));
      truncateSync(join(images, name), 60 << 20);
    }
    await relflow([
      ...['run', 'coco', '--annotations', join(SCENES, 'instances.json')],
      ...['--captions', join(SCENES, 'captions.json'), '--out', run],
    ]);
    assert.equal((await relflow(args('whole'))).code, 0);
  });

  /** Starts an export, and kills it when it has begun its second file. */
  async function kill(): Promise<void> {
    const { process: child, ended } = start(args('killed'));
    const second = () => existsSync(join(folder, staging() ?? '', 'data', 'train-1.parquet'));
    while (!second() && child.exitCode === null) await sleep(10);
    assert.equal(child.exitCode, null, 'killed while it works');
    child.kill('SIGKILL');
    await ended;
    assert.ok(!existsSync(join(folder, 'killed')));
  }

  it('goes on with the files that it had finished, to the same bytes', async () => {
    await kill();
    const ended = await relflow(args('killed'));
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /went on with 1 files that the interrupted export had finished/);
    assert.match(ended.stderr, /14 images were not found in the image folder/);
    assert.deepEqual(digests(join(folder, 'killed')), digests(join(folder, 'whole')));
    assert.deepEqual(readdirSync(folder).sort(), ['killed', 'run', 'whole']);
  });

  it('begins anew if an image has changed', async () => {
    rmSync(join(folder, 'killed'), { recursive: true });
    await kill();
    utimesSync(join(images, readdirSync(images).sort()[0] as string), new Date(), new Date());
    const ended = await relflow(args('killed'));
    assert.equal(ended.code, 0, ended.stderr);
    assert.doesNotMatch(ended.stderr, /went on with/);
    assert.deepEqual(digests(join(folder, 'killed')), digests(join(folder, 'whole')));
    assert.equal(staging(), undefined);
  });
});
