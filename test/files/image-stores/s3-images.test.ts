import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findImageFile } from '../../../src/files/image-stores/find-image-file.js';
import type { StoredImage } from '../../../src/files/image-stores/image-store.js';
import { relflow, SCENES } from '../../support/command.js';
import { digests, temporaryFolder } from '../../support/folders.js';
import { type S3Server, startS3 } from '../../support/s3-server.js';

const IMAGES = join(SCENES, 'images');

/** The annotations alone: images next to them would be found, too. */
const ANNOTATIONS = join(temporaryFolder(), 'instances.json');
copyFileSync(join(SCENES, 'instances.json'), ANNOTATIONS);

const run = (images: string, out: string) => [
  ...['run', 'coco', '--annotations', ANNOTATIONS, '--captions', join(SCENES, 'captions.json')],
  ...['--images', images, '--out', out],
];

describe('images in an S3-compatible store', function () {
  this.timeout(60_000);
  let server: S3Server;
  const names = readdirSync(IMAGES).sort();

  before(async () => {
    server = await startS3();
    for (const name of names) await server.put(`sets/scenes/${name}`, readFileSync(join(IMAGES, name)));
  });
  after(() => server.stop());

  /** Returns an address of the same images that this process has not listed yet. */
  const copyTo = async (prefix: string) => {
    for (const name of names) await server.put(`${prefix}/${name}`, readFileSync(join(IMAGES, name)));
    return `s3://bucket/${prefix}`;
  };

  it('give the same run as a folder, also if a fifth of the requests fail, and are read once', async () => {
    const out = temporaryFolder();
    assert.equal((await relflow(run(IMAGES, join(out, 'folder')))).code, 0);
    server.faults.share = 0.2;
    const ended = await relflow(run('s3://bucket/sets/scenes', join(out, 'store')));
    server.faults.share = 0;
    assert.equal(ended.code, 0, ended.stderr);
    const { '.relflow/run.json': _, ...folder } = digests(join(out, 'folder'));
    const { '.relflow/run.json': __, ...store } = digests(join(out, 'store'));
    assert.deepEqual(store, folder);
    assert.doesNotMatch(readFileSync(join(out, 'store', '.relflow/run.json'), 'utf8'), /S3RVER/);
    const before = server.requests.length;
    const image = (await findImageFile('s3://bucket/sets/scenes', names[0]!)) as StoredImage;
    assert.deepEqual(await image.read(), readFileSync(join(IMAGES, names[0]!)));
    assert.equal(server.requests.length, before);
  });

  it('are read again if their file in the cache is damaged', async () => {
    const cache = process.env['RELFLOW_IMAGE_CACHE'] as string;
    const address = await copyTo('damaged');
    const image = (await findImageFile(address, names[0]!)) as StoredImage;
    const content = await image.read();
    const files = readdirSync(cache).flatMap((part) =>
      readdirSync(join(cache, part)).map((name) => join(cache, part, name)),
    );
    for (const [k, file] of files.entries()) {
      if (k % 2 === 0) truncateSync(file, 10);
      else writeFileSync(file, Buffer.alloc(statSync(file).size));
    }
    assert.deepEqual(await image.read(), content);
  });

  it('are rejected by name if they are missing or change while they are read', async () => {
    const address = await copyTo('changing');
    const [missing, changed] = await Promise.all(
      [names[0]!, names[1]!].map(async (name) => (await findImageFile(address, name)) as StoredImage),
    );
    await server.remove(`changing/${names[0]}`);
    await server.put(`changing/${names[1]}`, 'other');
    await assert.rejects(missing!.read(), {
      reason: 'image-missing',
      message: /^s3:\/\/bucket\/changing\/.*no such object/,
    });
    await assert.rejects(changed!.read(), { reason: 'image-changed' });
    await assert.rejects(findImageFile(address, 'none.jpg'), { reason: 'image-missing' });
    await assert.rejects(findImageFile(address, '../scenes/x.jpg'), { reason: 'unsafe-path' });
  });

  it('end the run with the reason if the store cannot be listed', async () => {
    const message = async (images: string) => (await relflow(run(images, temporaryFolder()))).stderr;
    assert.match(await message('s3://nowhere/x'), /s3:\/\/nowhere\/x: cannot be listed: no such bucket/);
    assert.match(await message('s3://bucket/nothing'), /s3:\/\/bucket\/nothing: has no objects/);
    assert.match(await message('s3://key:secret@bucket/x'), /the address contains credentials/);
    assert.doesNotMatch(await message('s3://key:secret@bucket/x'), /secret@/);
    const out = temporaryFolder();
    await relflow(run('s3://key:secret@bucket/x', out));
    for (const path of Object.keys(digests(out))) assert.doesNotMatch(readFileSync(join(out, path), 'utf8'), /secret/);
    await server.put('shards/0.tar', 'x');
    assert.match(await message('s3://bucket/shards'), /has tar shards, which are read from a folder/);
    const endpoint = process.env['AWS_ENDPOINT_URL'];
    try {
      process.env['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:9';
      process.env['AWS_MAX_ATTEMPTS'] = '1';
      assert.match(await message('s3://bucket/sets'), /nothing answers at the endpoint; check AWS_ENDPOINT_URL/);
    } finally {
      process.env['AWS_ENDPOINT_URL'] = endpoint;
      delete process.env['AWS_MAX_ATTEMPTS'];
    }
  });
});
