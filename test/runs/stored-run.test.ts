import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { relflow, SCENES } from '../support/command.js';
import { digests, putFile, temporaryFolder } from '../support/folders.js';
import { type S3Server, startS3 } from '../support/s3-server.js';

const args = (out: string, ...more: readonly string[]) => [
  ...['run', 'coco', '--annotations', join(SCENES, 'instances.json'), '--captions', join(SCENES, 'captions.json')],
  ...['--shard-records', '4', '--export', 'coco', '--out', out, ...more],
];

describe('a run in an S3-compatible store', function () {
  this.timeout(60_000);
  let server: S3Server;
  let folder: string;
  let parts: readonly string[];

  before(async () => {
    server = await startS3();
    folder = temporaryFolder();
    parts = [1, 2, 3].map((part) => join(folder, `part-${part}`));
    assert.equal((await relflow(args(join(folder, 'whole')))).code, 0);
    for (const [k, part] of parts.entries()) assert.equal((await relflow(args(part, '--shard', `${k + 1}/3`))).code, 0);
  });
  after(() => server.stop());
  afterEach(() => {
    server.faults.share = 0;
    delete server.faults.refused;
  });

  const ok = async (...line: readonly string[]) => {
    const ended = await relflow(line);
    assert.equal(ended.code, 0, ended.stderr);
    return ended.stdout;
  };

  it('whose parts were made on machines without a common folder is finished to the same bytes', async () => {
    server.faults.share = 0.2;
    for (const part of parts) await ok('push', part, 's3://bucket/run');
    const out = join(folder, 'out');
    assert.match(await ok('pull', 's3://bucket/run', out), /6 shards read, 0 were there; the run is not finished/);
    await ok('finish', out);
    assert.deepEqual(digests(out), digests(join(folder, 'whole')));
    await ok('push', out, 's3://bucket/run');
    const copy = join(folder, 'copy');
    assert.match(await ok('pull', 's3://bucket/run', copy), /the run is finished/);
    server.faults.share = 0;
    assert.deepEqual(digests(copy), digests(join(folder, 'whole')));
    await ok('validate', copy);
    assert.match(await ok('pull', 's3://bucket/run', copy), /0 shards read, 6 were there/);
    for (const content of (await server.objects('run/')).values()) assert.ok(!content.includes('S3RVER'));
  });

  it('has a shard when its marker is there, which comes after its files', async () => {
    server.faults.refused = /^PUT .*scene-graphs\/00003/;
    const ended = await relflow(['push', parts[0] as string, 's3://bucket/half']);
    assert.match(ended.stderr, /s3:\/\/bucket\/half\/scene-graphs\/00003\.jsonl: cannot be written/);
    const objects = [...(await server.objects('half/')).keys()].filter((key) => key.includes('/shards/'));
    assert.deepEqual(objects, ['half/.relflow/shards/00000.json']);
    delete server.faults.refused;
    assert.match(await ok('push', parts[0] as string, 's3://bucket/half'), /1 shards written, 1 were there/);
  });

  it('names shards that are damaged or lack a file, and reads the others', async () => {
    for (const part of parts) await ok('push', part, 's3://bucket/damaged');
    await server.put('damaged/scene-graphs/00001.jsonl', 'other');
    await server.remove('damaged/candidates/00002.jsonl');
    await server.put('damaged/.relflow/shards/00004.json', '{"half');
    const out = join(folder, 'damaged');
    const ended = await relflow(['pull', 's3://bucket/damaged', out]);
    assert.equal(ended.code, 1);
    assert.match(ended.stdout, /3 shards read/);
    assert.match(
      ended.stderr,
      /shard 1: s3:\/\/bucket\/damaged\/scene-graphs\/00001\.jsonl does not match its checksum/,
    );
    assert.match(ended.stderr, /shard 2: s3:\/\/bucket\/damaged\/candidates\/00002\.jsonl is missing/);
    assert.match(ended.stderr, /shard 4: its marker is not valid JSON/);
    assert.match(ended.stderr, /3 shards cannot be used/);
    for (const number of [1, 2, 4]) assert.ok(!existsSync(join(out, '.relflow', 'shards', `0000${number}.json`)));
    // The machine that made the shards repairs them.
    for (const key of ['.relflow/shards/00001.json', '.relflow/shards/00002.json', '.relflow/shards/00004.json'])
      await server.remove(`damaged/${key}`);
    for (const part of parts) await ok('push', part, 's3://bucket/damaged');
    assert.match(await ok('pull', 's3://bucket/damaged', out), /3 shards read, 3 were there/);
    await ok('finish', out);
    assert.deepEqual(digests(out), digests(join(folder, 'whole')));
  });

  it('is never mixed with another run, nor with other files', async () => {
    await ok('push', parts[0] as string, 's3://bucket/own');
    const other = join(folder, 'other');
    await relflow([...args(other), '--threshold', '0.9']);
    const pushed = await relflow(['push', other, 's3://bucket/own']);
    assert.match(pushed.stderr, /s3:\/\/bucket\/own: contains another run: the pipeline or its options differ/);
    assert.match((await relflow(['pull', 's3://bucket/own', other])).stderr, /contains another run/);
    await server.put('mine/photo.jpg', 'x');
    assert.match(
      (await relflow(['push', other, 's3://bucket/mine'])).stderr,
      /contains photo\.jpg, which no run wrote/,
    );
    assert.match((await relflow(['pull', 's3://bucket/mine', join(folder, 'x')])).stderr, /contains no run/);
    const mine = join(folder, 'mine');
    putFile(join(mine, 'file'));
    assert.match((await relflow(['pull', 's3://bucket/own', mine])).stderr, /the folder is not empty/);
    const changed = join(folder, 'changed');
    await relflow(args(changed, '--shard', '1/1'));
    writeFileSync(join(changed, 'scene-graphs', '00002.jsonl'), 'x');
    assert.match((await relflow(['push', changed, 's3://bucket/changed'])).stderr, /does not match its checksum/);
    rmSync(join(changed, 'scene-graphs', '00002.jsonl'));
    assert.match((await relflow(['push', changed, 's3://bucket/changed'])).stderr, /00002\.jsonl: is missing/);
    assert.ok(readFileSync(join(mine, 'file'), 'utf8'));
  });
});
