import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hoiImages } from '../../src/sources/hoi-file.js';
import { openImagesCategories, openImagesImages } from '../../src/sources/open-images-file.js';
import { readVcocoActions, readVcocoImages } from '../../src/sources/vcoco-file.js';
import { temporaryFolder } from '../support/folders.js';

const folder = temporaryFolder();
const at = (name: string, value: unknown) => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(value));
  return path;
};
const all = async <T>(values: AsyncIterable<T>) => {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
};

describe('hoiImages', () => {
  const person = { bbox: [1, 2, 30, 40], category_id: 1 };

  it('reads boxes, interactions without an object, and counts those that refer to no box', async () => {
    const file = at('hoi.json', [
      {
        file_name: 'a.jpg',
        annotations: [person, { bbox: [5, 5, 9.5, 9], category_id: 18 }],
        hoi_annotation: [
          { subject_id: 0, object_id: 1, category_id: 77, hoi_category_id: 19 },
          { subject_id: 0, object_id: -1, category_id: 4 },
          { subject_id: 0, object_id: 2, category_id: 4 },
        ],
      },
    ]);
    const [image] = await all(hoiImages(file));
    assert.deepEqual(image, {
      file: 'a.jpg',
      objects: [
        { box: [1, 2, 30, 40], category: 1 },
        { box: [5, 5, 9.5, 9], category: 18 },
      ],
      interactions: [
        { subject: 0, object: 1, verb: 77, triplet: 19 },
        { subject: 0, object: null, verb: 4, triplet: null },
      ],
      dangling: 1,
    });
  });

  it('names the image of a box that is not one', async () => {
    const file = at('bad.json', [{ file_name: 'b.jpg', annotations: [{ bbox: [1, 2, 3] }], hoi_annotation: [] }]);
    await assert.rejects(all(hoiImages(file)), /image b\.jpg: annotation 0 is .*expected bbox \[x1, y1, x2, y2\]/);
    const other = at('coco.json', [{ id: 1, width: 3 }]);
    await assert.rejects(all(hoiImages(other)), /expected an object with file_name, annotations and hoi_annotation/);
  });
});

describe('openImagesImages', () => {
  it('reads the same annotation in both forms', async () => {
    const rlip = at('oi.json', [
      {
        file_name: 'a.jpg',
        annotations: [
          { bbox: [0, 0, 9, 9], category_id: 3 },
          { bbox: [5, 0, 9, 9], category_id: 0 },
        ],
        rel_annotations: [{ subject_id: 0, object_id: 1, category_id: 2 }],
      },
    ]);
    const vrd = at('vrd.json', [
      {
        img_fn: 'a',
        img_size: [64, 48],
        bbox: [
          [0, 0, 9, 9],
          [5, 0, 9, 9],
        ],
        det_labels: [3, 0],
        rel: [[0, 1, 2]],
      },
    ]);
    const [one] = await all(openImagesImages(rlip));
    const [other] = await all(openImagesImages(vrd));
    assert.deepEqual({ ...one, file: 'a', size: { width: 64, height: 48 } }, other);
    assert.deepEqual(one!.relations, [{ subject: 0, object: 1, predicate: 2 }]);
  });

  it('refuses relations to objects that do not exist and repeated names', async () => {
    const file = at('out.json', [
      { file_name: 'c.jpg', annotations: [], rel_annotations: [{ subject_id: 0, object_id: 0, category_id: 0 }] },
    ]);
    await assert.rejects(all(openImagesImages(file)), /image c\.jpg: rel_annotation 0 names objects 0 and 0/);
    const names = at('names.json', { obj: ['Man', 'Man'], rel: ['on'] });
    await assert.rejects(openImagesCategories(names), /'obj' lists 'Man' twice/);
  });
});

describe('readVcocoActions and readVcocoImages', () => {
  const cut = {
    action_name: 'cut',
    role_name: ['agent', 'instr', 'obj'],
    include: [[], [], []],
    image_id: [7, 8],
    ann_id: [70, 80],
    label: [1, 0],
    role_object_id: [70, 80, 71, 0, 72, 0],
  };

  it('reads the objects role by role', async () => {
    assert.deepEqual(await readVcocoActions(at('vcoco.json', [cut])), [
      {
        name: 'cut',
        images: [7, 8],
        persons: [70, 80],
        labels: [true, false],
        roles: [
          { name: 'instr', objects: [71, 0] },
          { name: 'obj', objects: [72, 0] },
        ],
      },
    ]);
  });

  it('names the action whose lists differ', async () => {
    const short = at('short.json', [{ ...cut, role_object_id: [70, 80, 71] }]);
    await assert.rejects(readVcocoActions(short), /action 'cut': role_object_id has 3 elements, expected 6/);
  });

  it('reads only the given images', async () => {
    const file = at('instances.json', {
      images: [7, 9].map((id) => ({ id, file_name: `${id}.jpg`, width: 64, height: 48 })),
      annotations: [
        { id: 70, image_id: 7, category_id: 1, bbox: [0, 0, 9, 9], segmentation: [[1, 2, 3]] },
        { id: 90, image_id: 9, category_id: 1, bbox: [0, 0, 9, 9] },
      ],
      categories: [],
    });
    assert.deepEqual(await readVcocoImages(file, new Set([7])), [
      {
        id: 7,
        file: '7.jpg',
        width: 64,
        height: 48,
        annotations: [{ id: 70, category: 1, box: [0, 0, 9, 9], area: 81 }],
      },
    ]);
  });
});
