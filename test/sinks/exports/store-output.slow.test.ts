import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { relflow, SCENES, start } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';
import { type S3Server, startS3 } from '../../support/s3-server.js';

describe('an export to an S3-compatible store that is killed', function () {
  this.timeout(300_000);
  let server: S3Server;
  let run: string;

  before(async () => {
    server = await startS3();
    run = join(temporaryFolder(), 'run');
    await relflow([
      ...['run', 'coco', '--annotations', join(SCENES, 'instances.json')],
      ...['--captions', join(SCENES, 'captions.json'), '--out', run],
    ]);
  });
  after(() => server.stop());

  /** Starts the command, and kills it when a request is held. */
  async function killAt(held: RegExp, args: readonly string[]): Promise<void> {
    server.faults.held = held;
    server.requests.length = 0;
    const { process: child, ended } = start(['export', run, ...args]);
    while (!server.requests.some((line) => held.test(line)) && child.exitCode === null) await sleep(20);
    assert.equal(child.exitCode, null, 'killed while it works');
    child.kill('SIGKILL');
    await ended;
    delete server.faults.held;
  }

  it('is not complete, and is made complete by the same command', async () => {
    const args = ['--format', 'huggingface-jsonl', '--images', join(SCENES, 'images'), '--out', 's3://bucket/killed'];
    const expected = join(temporaryFolder(), 'export');
    await relflow(['export', run, ...args.slice(0, 4), '--out', expected]);
    for (const held of [/^PUT .*incomplete/, /^PUT .*\.jpg/, /^PUT .*README/, /^PUT .*relflow-export\.json/]) {
      await killAt(held, args);
      assert.ok(!(await server.objects('killed/')).has('killed/relflow-export.json'), String(held));
    }
    const ended = await relflow(['export', run, ...args]);
    assert.equal(ended.code, 0, ended.stderr);
    const objects = await server.objects('killed/');
    for (const entry of readdirSync(expected, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      assert.deepEqual(objects.get(`killed${path.slice(expected.length)}`), readFileSync(path));
      objects.delete(`killed${path.slice(expected.length)}`);
    }
    assert.equal(objects.size, 0);
  });

  it('leaves the old object or the new one', async () => {
    const args = ['--format', 'coco', '--out', 's3://bucket/one.json'];
    assert.equal((await relflow(['export', run, ...args, '--min-confidence', '0.9'])).code, 0);
    const before = (await server.objects('one.json')).get('one.json');
    await killAt(/^PUT .*one\.json/, [...args, '--overwrite']);
    assert.deepEqual((await server.objects('one.json')).get('one.json'), before);
    assert.equal((await relflow(['export', run, ...args, '--overwrite'])).code, 0);
    assert.notDeepEqual((await server.objects('one.json')).get('one.json'), before);
  });
});
