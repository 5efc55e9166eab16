import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { pseudoAnnotations } from '../../src/sources/pseudo-annotations.js';
import { temporaryFolder } from '../support/folders.js';

describe('pseudoAnnotations', () => {
  const folder = temporaryFolder();
  const images = join(folder, 'images');
  const put = async (path: string, width: number, height: number) => {
    mkdirSync(dirname(join(images, path)), { recursive: true });
    await sharp({ create: { width, height, channels: 3, background: '#888' } })
      .jpeg()
      .toFile(join(images, path));
  };
  const object = (id: number, names: string, x: number) => ({ object_id: id, x, y: 1, w: 10, h: 8, names });
  const relation = (predicate: string, confidence?: number) => ({
    relationship_id: 1,
    predicate,
    subject_id: 10,
    object_id: 11,
    ...(confidence !== undefined && { confidence }),
  });
  const entry = (id: unknown, more: object, relationships: object[]) => ({
    image_id: id,
    ...more,
    objects: [object(10, 'person', 2), object(11, 'dog', 15)],
    relationships,
  });
  const read = async (entries: unknown[], options: object = {}) => {
    const annotations = join(folder, 'annotations.json');
    writeFileSync(annotations, JSON.stringify(entries));
    const source = pseudoAnnotations({ annotations, images, ...options });
    const items = [];
    const context = { signal: new AbortController().signal, tempDir: folder, progress: () => {} };
    for await (const item of source.read(context)) items.push(item);
    return items;
  };

  before(async () => {
    await put('train2017/000000000009.jpg', 40, 30);
    await put('7.jpg', 32, 24);
    await put('patch1/a.jpg', 50, 20);
  });

  it('reads COCO, Visual Genome and Objects365 with confidences, and sizes from the image files', async () => {
    const filePaths = join(folder, 'paths.json');
    writeFileSync(filePaths, JSON.stringify({ 5: 'patch1/a.jpg' }));
    const items = await read(
      [
        entry(9, { dataset: 'coco2017', data_split: 'train2017' }, [relation('near', 0.3), relation('near', 0.25)]),
        entry(7, {}, [relation('on')]),
        entry(5, { dataset: 'o365', data_split: 'train' }, [relation('holding', 0.9)]),
      ],
      { filePaths },
    );
    assert.deepEqual(
      items.map(({ record }) => record?.image),
      [
        { id: 9, file: 'train2017/000000000009.jpg', width: 40, height: 30, dataset: 'coco2017', split: 'train2017' },
        { id: 7, file: '7.jpg', width: 32, height: 24, dataset: 'vg', split: '' },
        { id: 5, file: 'patch1/a.jpg', width: 50, height: 20, dataset: 'o365', split: 'train' },
      ],
    );
    assert.deepEqual(
      items.map(({ record }) => record?.relations),
      [
        [
          { subject: 0, object: 1, predicate: 'near', confidence: 0.3 },
          { subject: 0, object: 1, predicate: 'near', confidence: 0.25 },
        ],
        [{ subject: 0, object: 1, predicate: 'on' }],
        [{ subject: 0, object: 1, predicate: 'holding', confidence: 0.9 }],
      ],
    );
    assert.deepEqual(items[0]!.record?.detections[1], { id: 11, category: 'dog', box: [15, 1, 10, 8] });
  });

  it('reads an id as a number, a float or a text, and rejects the second entry of an image', async () => {
    const filePaths = join(folder, 'paths.json');
    writeFileSync(filePaths, JSON.stringify({ 5: 'patch1/a.jpg' }));
    const set = { dataset: 'o365', data_split: 'train' };
    const entries = [entry('5', set, [relation('near')]), entry(5.0, set, []), entry('5.0', { dataset: 'other' }, [])];
    entries[0]!.relationships.push({ ...relation('on'), subject_id: '10', object_id: '11' } as never);
    const items = await read(entries, { filePaths });
    assert.deepEqual(
      items.map(({ record, rejects = [] }) => record?.image.id ?? rejects[0]?.reason),
      [5, 'duplicate-image', 5],
    );
    assert.deepEqual(items[0]?.record?.relations.length, 2);
  });

  it('rejects invalid entries by reason', async () => {
    const items = await read([
      { objects: [] },
      entry(8, { dataset: 'coco2017', data_split: '../..' }, []),
      entry(12, { dataset: 'coco2017', data_split: 'train2017' }, []),
      { image_id: 7, objects: [], relationships: 'none' },
    ]);
    assert.deepEqual(
      items.map(({ rejects }) => rejects?.map(({ reason }) => reason)),
      [['malformed-image'], ['unsafe-path'], ['image-missing'], ['malformed-relationships']],
    );
  });
});
