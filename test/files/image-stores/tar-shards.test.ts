import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { findImageFile } from '../../../src/files/image-stores/find-image-file.js';
import type { StoredImage } from '../../../src/files/image-stores/image-store.js';
import { relflow, SCENES } from '../../support/command.js';
import { digests, putFile, temporaryFolder } from '../../support/folders.js';

const IMAGES = join(SCENES, 'images');

/** Writes a shard with some images of the scenes, by their names in it. */
function writeShard(file: string, members: Readonly<Record<string, string>>, format = 'gnu'): void {
  const folder = temporaryFolder();
  for (const [name, image] of Object.entries(members)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    copyFileSync(join(IMAGES, image), join(folder, name));
  }
  execFileSync('tar', [`--format=${format}`, '-cf', file, '-C', folder, ...readdirSync(folder)]);
}

/** The annotations alone: images next to them would be found, too. */
const ANNOTATIONS = join(temporaryFolder(), 'instances.json');
copyFileSync(join(SCENES, 'instances.json'), ANNOTATIONS);

const run = (images: string, out: string) =>
  relflow([
    ...['run', 'coco', '--annotations', ANNOTATIONS, '--captions', join(SCENES, 'captions.json')],
    ...['--images', images, '--out', out],
  ]);

describe('images in tar shards', () => {
  const names = readdirSync(IMAGES).sort();

  it('give the same run as the folder that they were made of', async () => {
    const [shards, out] = [temporaryFolder(), temporaryFolder()];
    for (const part of [0, 1])
      writeShard(
        join(shards, `0000${part}.tar`),
        Object.fromEntries(names.filter((_, k) => k % 2 === part).map((name) => [name, name])),
      );
    assert.equal((await run(IMAGES, join(out, 'folder'))).code, 0);
    const ended = await run(shards, join(out, 'shards'));
    assert.equal(ended.code, 0, ended.stderr);
    const { '.relflow/run.json': _, ...folder } = digests(join(out, 'folder'));
    const { '.relflow/run.json': __, ...fromShards } = digests(join(out, 'shards'));
    assert.deepEqual(fromShards, folder);
    assert.equal(readdirSync(shards).length, 2, 'nothing is unpacked');
  });

  it('are embedded by exports and shown on sheets as those of a folder', async () => {
    const [folder, out] = [temporaryFolder(), temporaryFolder()];
    const shards = join(folder, 'images');
    mkdirSync(shards);
    writeShard(join(shards, 'a.tar'), Object.fromEntries(names.map((name) => [name, name])));
    const graphs = join(out, 'run');
    assert.equal((await run(IMAGES, graphs)).code, 0);
    for (const [images, name] of [
      [IMAGES, 'folder'],
      [shards, 'shards'],
    ] as const) {
      const place = (kind: string) => join(out, kind, name);
      for (const line of [
        ['export', graphs, '--format', 'huggingface', '--images', images, '--out', place('embedded')],
        ['export', graphs, '--format', 'huggingface-jsonl', '--images', images, '--out', place('copied')],
        ['sample', graphs, '--images', images, '--out', place('sheets'), '--count', '3'],
      ]) {
        const ended = await relflow(line);
        assert.equal(ended.code, 0, ended.stderr);
      }
    }
    for (const kind of ['embedded', 'copied', 'sheets'])
      assert.deepEqual(digests(join(out, kind, 'shards')), digests(join(out, kind, 'folder')), kind);
  });

  it('are read from one file, with long names and folders', async () => {
    const long = `${'deep/'.repeat(30)}${'n'.repeat(120)}.jpg`;
    const middle = `${'folder/'.repeat(18)}${'n'.repeat(80)}.jpg`;
    for (const [format, paths] of [
      ['gnu', [long, middle, 'ä/ü.jpg']],
      ['pax', [long, middle, 'ä/ü.jpg']],
      ['ustar', [middle, 'a.jpg']],
      ['v7', ['b/a.jpg']],
    ] as const) {
      const file = join(temporaryFolder(), 'a.tar');
      writeShard(file, Object.fromEntries(paths.map((path, k) => [path, names[k]!])), format);
      for (const [k, path] of paths.entries()) {
        const image = (await findImageFile(file, path)) as StoredImage;
        assert.deepEqual(await image.read(), readFileSync(join(IMAGES, names[k]!)), `${format}: ${path}`);
      }
    }
  });

  it('are found at the end of a path and under a similar name, as in folders', async () => {
    const [folder, out] = [temporaryFolder(), temporaryFolder()];
    writeShard(
      join(folder, 'a.tar'),
      Object.fromEntries(names.map((name, k) => [k % 2 === 0 ? `other/${name}` : `other/${name.toUpperCase()}`, name])),
    );
    const ended = await run(folder, out);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout + ended.stderr, /24 records/);
    const { stages } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as { stages: unknown };
    assert.match(JSON.stringify(stages), /"image-found-by-name":24/);
  });

  it('are rejected if two shards have the path', async () => {
    const [folder, out] = [temporaryFolder(), temporaryFolder()];
    writeShard(join(folder, 'a.tar'), Object.fromEntries(names.map((name) => [name, name])));
    writeShard(join(folder, 'b.tar'), { [names[0]!]: names[1]! });
    const ended = await run(folder, out);
    assert.equal(ended.code, 0, ended.stderr);
    const line = readFileSync(join(out, 'rejects', readdirSync(join(out, 'rejects'))[0]!), 'utf8');
    assert.match(line, /"reason":"ambiguous-path"/);
    assert.match(line, /a\.tar and b\.tar/);
  });

  it('end the run if a shard is damaged, cut off or compressed, with its name and the byte', async () => {
    const folder = temporaryFolder();
    const shard = join(folder, 'a.tar');
    writeShard(shard, Object.fromEntries(names.map((name) => [name, name])));
    const whole = readFileSync(shard);
    const cases: readonly [change: () => void, message: RegExp][] = [
      [
        () => truncateSync(shard, whole.length >> 1),
        /a\.tar: is cut off: a member of \d+ bytes begins, the file has \d+ bytes at byte \d+/,
      ],
      [() => writeFileSync(shard, Buffer.concat([whole.subarray(0, 512), Buffer.alloc(700_000, 7)])), /a\.tar: /],
      [() => writeFileSync(shard, gzipSync(whole)), /a\.tar: is not an uncompressed tar file at byte 0/],
      [() => writeFileSync(shard, 'short'), /a\.tar: is cut off within a header at byte 0/],
    ];
    for (const [change, message] of cases) {
      change();
      const copy = temporaryFolder();
      copyFileSync(shard, join(copy, 'a.tar'));
      const ended = await run(copy, join(temporaryFolder(), 'out'));
      assert.equal(ended.code, 1);
      assert.match(ended.stderr, message);
    }
    putFile(join(folder, 'compressed', 'a.tar.gz'), 'x');
    const ended = await run(join(folder, 'compressed'), join(temporaryFolder(), 'out'));
    assert.match(
      ended.stderr,
      /has a\.tar\.gz; compressed shards cannot be read in place, decompress them with gunzip/,
    );
  });

  it('are never at a path that leaves the shard', async () => {
    const folder = temporaryFolder();
    writeShard(join(folder, 'inner.tar'), { 'x.jpg': names[0]! });
    const bytes = readFileSync(join(folder, 'inner.tar'));
    bytes.write('../../x.jpg\0', 0, 'latin1');
    bytes.write('        ', 148, 'latin1');
    const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    writeFileSync(join(folder, 'inner.tar'), bytes);
    await assert.rejects(findImageFile(join(folder, 'inner.tar'), '../../x.jpg'), { reason: 'unsafe-path' });
    await assert.rejects(findImageFile(join(folder, 'inner.tar'), 'x.jpg'), { reason: 'image-missing' });
  });
});
