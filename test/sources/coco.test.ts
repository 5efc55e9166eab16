import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { CocoOptions } from '../../src/sources/coco.js';
import { coco } from '../../src/sources/coco.js';
import { contextIn, itemsOf, listed, reasonsIn, recordsIn, testFolder } from './source-context.js';

const categories = [
  { id: 1, name: 'person' },
  { id: 18, name: 'dog' },
];

function image(id: number | string, fields: Record<string, unknown> = {}) {
  return { id, width: 100, height: 50, file_name: `${id}.jpg`, ...fields };
}

function box(id: number, imageId: number | string, bbox: unknown, fields: Record<string, unknown> = {}) {
  return { id, image_id: imageId, category_id: 1, bbox, iscrowd: 0, ...fields };
}

describe('coco', () => {
  const folder = testFolder();

  async function read(file: Record<string, unknown> | string, options: Partial<CocoOptions> = {}) {
    const path = folder.at('instances_train2017.json');
    await writeFile(path, typeof file === 'string' ? file : JSON.stringify(file));
    const spill = folder.at('spill');
    await mkdir(spill, { recursive: true });
    const items = await itemsOf(coco({ annotations: path, ...options }), contextIn(spill));
    assert.deepEqual(await listed(spill), []);
    return items;
  }

  it('yields a record an image, in the order of images, with the boxes in file order', async () => {
    const items = await read({
      info: { year: 2017 },
      images: [image(9), image(3), image(5)],
      annotations: [
        box(1, 3, [0, 0, 10, 10]),
        box(2, 9, [1, 2, 3, 4], { category_id: 18 }),
        box(3, 3, [5, 5, 10.5, 10]),
      ],
      categories,
    });
    const origin = { source: 'coco', file: 'instances_train2017.json' };
    const described = (id: number) =>
      ({ id, file: `${id}.jpg`, width: 100, height: 50, dataset: 'coco2017', split: 'train2017' }) as const;
    assert.deepEqual(recordsIn(items), [
      { image: described(9), detections: [{ id: 2, category: 'dog', box: [1, 2, 3, 4] }], origin },
      {
        image: described(3),
        detections: [
          { id: 1, category: 'person', box: [0, 0, 10, 10] },
          { id: 3, category: 'person', box: [5, 5, 10.5, 10] },
        ],
        origin,
      },
      { image: described(5), detections: [], origin },
    ]);
    assert.deepEqual(reasonsIn(items), []);
  });
});
