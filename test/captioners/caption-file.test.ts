import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { captionFile } from '../../src/captioners/caption-file.js';
import { InputError, OptionError, RecordError } from '../../src/errors.js';
import type { Id, Image } from '../../src/records/image.js';
import { temporaryFolder } from '../support/folders.js';

const folder = temporaryFolder();
const image = (id: Id): Image => ({ id, file: '', width: 1, height: 1, dataset: '', split: '' });
const { signal } = new AbortController();

function write(name: string, content: unknown): string {
  const path = join(folder, name);
  const json = JSON.stringify(content);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(json) : json);
  return path;
}

/** Returns the captions of some images, null for images without captions. */
async function textsOf(captions: string, ids: readonly Id[], maxCaptions?: number): Promise<(string[] | null)[]> {
  const tempDir = temporaryFolder();
  const captioner = captionFile({ captions, tempDir, ...(maxCaptions && { maxCaptions }) });
  const texts: (string[] | null)[] = [];
  for (const id of ids) {
    try {
      texts.push((await captioner.caption(image(id), signal)).map(({ text }) => text));
    } catch (error) {
      assert.ok(error instanceof RecordError && error.reason === 'no-captions', `${error}`);
      texts.push(null);
    }
  }
  await captioner.close();
  assert.deepEqual(readdirSync(tempDir), []);
  return texts;
}

const coco = {
  info: {},
  images: [{ id: 1 }],
  licenses: [],
  annotations: [
    { image_id: 5, id: 1, caption: ' A dog. ' },
    { image_id: 7, id: 2, caption: 'A cat.\n' },
    { image_id: 5, id: 3, caption: 'A dog.' },
    { image_id: 5, id: 4, caption: '  ' },
    { image_id: 9, id: 5, caption: '' },
    { image_id: 'text', id: 6, caption: 'Собака 🐕' },
  ],
};
const byImage = { 5: ['A dog. ', 'A dog.', ' '], 7: ['A cat.'], 9: [], text: ['Собака 🐕'] };
const expected = [['A dog.', 'A dog.'], ['A cat.'], null, ['Собака 🐕'], null];

describe('captionFile', () => {
  it('reads the captions of an image in COCO’s format, in file order', async () => {
    assert.deepEqual(await textsOf(write('captions.json', coco), [5, 7, 9, 'text', 4]), expected);
    assert.deepEqual(await textsOf(write('captions.json.gz', coco), ['text', 9, 7, 5]), expected.slice(0, 4).reverse());
  });

  it('reads a map by image id, whether ids are numbers or strings', async () => {
    const file = write('map.json', byImage);
    assert.deepEqual(await textsOf(file, [5, 7, 9, 'text', 4]), expected);
    assert.deepEqual(await textsOf(file, ['5', '7', '9', 'text', '4']), expected);
    assert.deepEqual(await textsOf(write('empty.json', {}), [1]), [null]);
    const list = { 1: ['a'], annotations: [{ image_id: 1, caption: 'b' }] };
    assert.deepEqual(await textsOf(write('both.json', list), [1]), [['b']]);
  });

  it('names the file of a caption, and merges several files in order', async () => {
    mkdirSync(join(folder, 'parts'));
    write('parts/b.json', { 1: ['from b'], 2: ['only b'] });
    write('parts/a.json', { annotations: [{ image_id: 1, caption: 'from a' }] });
    const captioner = captionFile({ captions: join(folder, 'parts', '*.json'), maxCaptions: 2 });
    assert.deepEqual(await captioner.caption(image(1), signal), [
      { text: 'from a', source: 'a.json' },
      { text: 'from b', source: 'b.json' },
    ]);
    assert.deepEqual(await captioner.caption(image(2), signal), [{ text: 'only b', source: 'b.json' }]);
    assert.deepEqual(
      await captioner.files(),
      ['a.json', 'b.json'].map((name) => join(folder, 'parts', name)),
    );
    await captioner.close();
  });

  it('uses the first `maxCaptions` captions', async () => {
    assert.deepEqual(await textsOf(write('many.json', { 1: ['a', '', 'b', 'c'] }), [1], 2), [['a', 'b']]);
  });

  it('counts malformed and empty captions', async () => {
    const file = write('bad.json', {
      annotations: [
        { image_id: null, caption: 'x' },
        5,
        { image_id: 1, caption: 7 },
        { image_id: 1, caption: ' ' },
        { image_id: 1, caption: 'y' },
      ],
    });
    const map = write('bad-map.json', { 1: 'text', 2: [null, 'ok', ['x']], 3: {} });
    for (const [captions, problems, id] of [
      [file, ['malformed-caption', 'empty-caption'], 1],
      [map, ['malformed-caption', 'malformed-caption'], 2],
      [map, ['malformed-captions'], 3],
    ] as const) {
      const captioner = captionFile({ captions });
      const counted: string[] = [];
      const found = captioner.caption(image(id), signal, (problem) => counted.push(problem));
      if (id === 3) await assert.rejects(async () => found, { reason: 'no-captions' });
      else assert.equal((await found).length, 1);
      assert.deepEqual(counted, problems);
      await captioner.close();
    }
  });

  it('reads its files once for many concurrent calls', async () => {
    const tempDir = temporaryFolder();
    const file = write('large.json', Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [i, [`caption ${i}`]])));
    const captioner = captionFile({ captions: file, tempDir });
    const all = await Promise.all(Array.from({ length: 5000 }, (_, id) => captioner.caption(image(id), signal)));
    assert.equal(readdirSync(tempDir).length, 1);
    for (const [i, [caption]] of all.entries()) assert.equal(caption?.text, `caption ${i}`);
    await captioner.close();
    assert.deepEqual(readdirSync(tempDir), []);
    assert.equal((await captioner.caption(image(1), signal)).length, 1);
    await captioner.close();
  });

  it('reports errors in its files at each call', async () => {
    const tempDir = temporaryFolder();
    const path = join(folder, 'cut.json');
    writeFileSync(path, '{"1": ["a"], "2": ["b"');
    const captioner = captionFile({ captions: path, tempDir });
    for (let i = 0; i < 2; i++) await assert.rejects(async () => captioner.caption(image(1), signal), InputError);
    writeFileSync(path, '["a"]');
    await assert.rejects(async () => captioner.caption(image(1), signal), {
      message: `${path}: the file is an array, expected an object at byte 0`,
    });
    await captioner.close();
    assert.deepEqual(readdirSync(tempDir), []);
    const none = join(folder, 'none.json');
    await assert.rejects(captionFile({ captions: none }).files(), { message: `${none}: no such file` });
    assert.throws(() => captionFile({ captions: '' }), {
      message: "caption-file: 'captions' is missing, expected a path or a glob",
    });
    assert.throws(() => captionFile({ captions: 'x', maxCaptions: 0 }), OptionError);
  });
});
