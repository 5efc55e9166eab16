import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { InputError, OptionError } from '../../src/errors.js';
import type { ImageRecord } from '../../src/records/image.js';
import type { SourceItem } from '../../src/records/ports.js';
import { type CocoOptions, coco } from '../../src/sources/coco.js';
import { type CocoDialect, CocoFile } from '../../src/sources/coco-file.js';
import { checkNoSharedIds } from '../../src/sources/coco-shared-ids.js';
import { temporaryFolder } from '../support/folders.js';
import { readSource, sourceContext } from '../support/read-source.js';

type Fields = Record<string, unknown>;

const categories = [
  { id: 1, name: 'person' },
  { id: 18, name: 'dog' },
];

function image(id: unknown, fields: Fields = {}): Fields {
  return { id, width: 100, height: 50, file_name: `${id}.jpg`, ...fields };
}

function annotation(id: unknown, imageId: unknown, bbox: unknown, fields: Fields = {}): Fields {
  return { id, image_id: imageId, category_id: 1, bbox, iscrowd: 0, ...fields };
}

/** Makes a data set with unsorted annotations, crowds, scores, string ids, invalid and empty boxes. */
function manyScenes(images: number): { images: Fields[]; annotations: Fields[]; categories: Fields[] } {
  const annotations: Fields[] = [];
  for (let i = 0; i < images * 12; i++) {
    const fields = {
      category_id: i % 5 === 0 ? 18 : 1,
      ...(i % 7 === 0 && { iscrowd: 1 }),
      ...(i % 3 === 0 && { score: 0.5 }),
    };
    const box = [i % 90, i % 45, 1 + (i % 13) / 3, i % 11];
    annotations.push(annotation(i % 17 === 0 ? `a${i}` : i, (i * 7919) % images, i % 101 === 0 ? 'none' : box, fields));
  }
  return { images: Array.from({ length: images }, (_, i) => image(i)), annotations, categories };
}

describe('coco', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'instances_train2017.json');

  function read(content: Fields | string | Buffer, options: Partial<CocoOptions> = {}) {
    const json = typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content);
    writeFileSync(file, json);
    return readSource(coco({ annotations: file, ...options }));
  }

  it('yields one record per image, in the order of images, with the boxes in file order', async () => {
    const { records, reasons } = await read({
      info: { year: 2017 },
      images: [image(9), image(3), image(5)],
      annotations: [
        annotation(1, 3, [0, 0, 10, 10]),
        annotation(2, 9, [1, 2, 3, 4], { category_id: 18 }),
        annotation(3, 3, [5, 5, 10.5, 10]),
      ],
      categories,
    });
    const origin = { source: 'coco', file: 'instances_train2017.json' };
    const names = categories.map(({ name }) => name);
    const described = (id: number) =>
      ({ id, file: `${id}.jpg`, width: 100, height: 50, dataset: 'coco2017', split: 'train2017' }) as const;
    assert.deepEqual(records, [
      { image: described(9), detections: [{ id: 2, category: 'dog', box: [1, 2, 3, 4] }], origin, categories: names },
      {
        image: described(3),
        detections: [
          { id: 1, category: 'person', box: [0, 0, 10, 10] },
          { id: 3, category: 'person', box: [5, 5, 10.5, 10] },
        ],
        origin,
        categories: names,
      },
      { image: described(5), detections: [], origin, categories: names },
    ]);
    assert.deepEqual(reasons, []);
  });

  it('reads the sections in any order, and gzip', async () => {
    const set = manyScenes(40);
    const { images, annotations } = set;
    const { items } = await read(set);
    assert.equal(items.length, 40);
    assert.deepEqual((await read({ categories, annotations, images })).items, items);
    assert.deepEqual((await read({ annotations, categories, images })).items, items);
    assert.deepEqual((await read({ annotations, images, categories })).items, items);
    assert.deepEqual((await read({ categories, images, annotations })).items, items);
    assert.deepEqual((await read(gzipSync(JSON.stringify({ annotations, images, categories })))).items, items);
  });

  it('reports its progress in bytes and then in records', async () => {
    const set = manyScenes(3);
    const { progress } = await read(set);
    const bytes = JSON.stringify(set).length;
    assert.deepEqual(progress[0], { phase: 'reading', done: bytes, total: bytes });
    assert.deepEqual(progress.at(-1), { phase: 'records', done: 3, total: 3 });
    const twice = await read({ annotations: set.annotations, images: set.images, categories });
    const reading = twice.progress.filter(({ phase }) => phase === 'reading');
    assert.deepEqual(reading.at(-1), { phase: 'reading', done: 2 * bytes, total: 2 * bytes });
  });

  it('yields the same records with any amount of memory', async () => {
    const set = manyScenes(300);
    const { items, counts } = await read(set);
    assert.ok(items.length > 290);
    assert.deepEqual(Object.keys(counts).sort(), [
      'clipped',
      'crowd',
      'far-beyond-image',
      'malformed-box',
      'zero-area',
    ]);
    for (const memoryBytes of [1, 10_000, 100_000]) assert.deepEqual((await read(set, { memoryBytes })).items, items);
  });

  it('reads an image with 10,000 boxes, and images without boxes', async () => {
    const annotations = Array.from({ length: 10_000 }, (_, i) => annotation(i, 2, [i % 99, i % 49, 1 + i / 1e6, 1]));
    const { records } = await read({ images: [image(1), image(2), image(3)], annotations, categories });
    assert.deepEqual(
      records.map(({ detections }) => detections.length),
      [0, 10_000, 0],
    );
    assert.deepEqual(
      records[1]?.detections.map(({ id }) => id),
      annotations.map(({ id }) => id),
    );
  });

  it('rejects an image with more boxes than fit into memory', async () => {
    const annotations = Array.from({ length: 300 }, (_, i) =>
      annotation(i, i % 100 === 0 ? 1 : 2, [0, 0, 1 + i / 10, 1]),
    );
    writeFileSync(file, JSON.stringify({ images: [image(1), image(2)], annotations, categories }));
    const dialect: CocoDialect = {
      source: 's',
      dataset: 'd',
      split: () => '',
      imageFiles: (name) => [name],
      categoryName: (name) => name,
    };
    const spool = { memoryBytes: 1000, maxGroupBytes: 5000 };
    const options = { dialect, images: undefined, compat: false, limit: 9, spool };
    const items: SourceItem<ImageRecord>[] = [];
    for await (const item of new CocoFile(file, options, sourceContext()).items()) items.push(item);
    assert.equal(items[0]?.record?.detections.length, 3);
    assert.deepEqual(items[1], {
      rejects: [{ reason: 'too-many-boxes', message: 'image 2: more boxes than fit into memory', image: 2 }],
    });
  });

  it('accepts ids and names in any script', async () => {
    const { records } = await read({
      images: [image('снимок-😀', { file_name: 'папка/снимок 😀.jpg' })],
      annotations: [annotation('ключ', 'снимок-😀', [1, 1, 2, 2], { category_id: 'кот' })],
      categories: [{ id: 'кот', name: '猫 "кот"' }],
    });
    assert.equal(records[0]?.image.file, 'папка/снимок 😀.jpg');
    assert.deepEqual(records[0]?.detections, [{ id: 'ключ', category: '猫 "кот"', box: [1, 1, 2, 2] }]);
  });

  it('assigns to an annotation without an id the lowest number that its image does not use', async () => {
    const annotations = [
      annotation(undefined, 1, [0, 0, 1, 1]),
      annotation(8, 1, [1, 0, 1, 1]),
      annotation(null, 1, [2, 0, 1, 1]),
    ];
    const { records, counts } = await read({ images: [image(1)], annotations, categories });
    assert.deepEqual(
      records[0]?.detections.map(({ id }) => id),
      [0, 8, 1],
    );
    assert.deepEqual(counts, {});
  });

  it('rejects invalid images with a reason', async () => {
    const { items, records } = await read({
      images: [
        image(1, { width: 0 }),
        image(2, { height: 50.5 }),
        image(3, { width: 1e9 }),
        image(4, { file_name: 7 }),
        image(5, { file_name: '..' }),
        image(6, { file_name: undefined }),
        image(1.5),
        'image',
        image(9),
        image(9, { width: 7 }),
        image(10, { height: null }),
        { id: 11, file_name: '11.jpg', width: 5 },
      ],
      annotations: [annotation(1, 1, [0, 0, 1, 1]), annotation(2, 4, [0, 0, 1, 1])],
      categories,
    });
    assert.deepEqual(
      records.map(({ image: { id, width } }) => [id, width]),
      [[9, 100]],
    );
    const sizeReject = (id: number, found: string) => ({
      reason: 'malformed-image',
      message: `image ${id}: ${found}, expected a whole number of pixels from 1 to 1000000, and no image file to read the size from; give the image folder`,
      image: id,
    });
    assert.deepEqual(
      items.flatMap(({ rejects = [] }) => rejects),
      [
        { reason: 'malformed-image', message: 'image 4: file_name is 7, expected a path', image: 4 },
        { reason: 'unsafe-path', message: 'image 5: ".." is not the path of an image', image: 5 },
        {
          reason: 'malformed-image',
          message: 'image 6: file_name is missing, expected a path, or a URL in coco_url',
          image: 6,
        },
        {
          reason: 'malformed-image',
          message: 'image at position 6: id is 1.5, expected a whole number or a non-empty string',
          detail: { position: 6 },
        },
        {
          reason: 'malformed-image',
          message: 'image at position 7: id is missing, expected a whole number or a non-empty string',
          detail: { position: 7 },
        },
        { reason: 'duplicate-image', message: 'image 9 occurs more than once; only the first entry is used', image: 9 },
        sizeReject(1, 'width is 0'),
        sizeReject(2, 'height is 50.5'),
        sizeReject(3, 'width is 1000000000'),
        sizeReject(10, 'height is null'),
        sizeReject(11, 'height is missing'),
      ],
    );
    assert.deepEqual(
      items.flatMap(({ counts }) => (counts && Object.keys(counts).length > 0 ? [counts] : [])),
      [{ 'refused-image-annotation': 1 }, { 'refused-image-annotation': 1 }],
    );
  });

  it('writes relative paths with forward slashes, and the base name of any other path', async () => {
    const paths: [written: string, file: string][] = [
      ['a\\b\\1.jpg', 'a/b/1.jpg'],
      ['.//b.jpg', 'b.jpg'],
      ['a/../b//c.jpg', 'b/c.jpg'],
      ['a..b/..c/d...jpg', 'a..b/..c/d...jpg'],
      ['12:30 o’clock.jpg', '12:30 o’clock.jpg'],
      ['a: b.jpg', 'a: b.jpg'],
      [' a /b .jpg', ' a /b .jpg'],
      ['/data/local-files/?d=shots/c%20d.jpg', 'shots/c d.jpg'],
    ];
    const outside: [written: string, file: string][] = [
      ['/home/me/1.jpg', '1.jpg'],
      ['C:\\data\\2.jpg', '2.jpg'],
      ['c:b.jpg', 'b.jpg'],
      ['\\\\host\\share\\b.jpg', 'b.jpg'],
      ['https://host.org/bucket/a%20b.jpg?token=x/y#z', 'a b.jpg'],
      ['s3://bucket/b.jpg', 'b.jpg'],
      ['file:///home/me/b.jpg', 'b.jpg'],
      ['../images/b.jpg', 'b.jpg'],
      ['a/../../b.jpg', 'b.jpg'],
      ['a/.. /b.jpg', 'b.jpg'],
    ];
    const unsafe = [
      'data:image/jpeg;base64,AAAA',
      'a\0.jpg',
      'a\n.jpg',
      'a\x7f.jpg',
      'a\x85.jpg',
      '/',
      'a/',
      '..  ',
      '...',
    ];
    const all = [...paths, ...outside];
    const images = [...all.map(([written]) => written), ...unsafe].map((file_name, id) => image(id, { file_name }));
    const { records, reasons, counts } = await read({ images, annotations: [], categories });
    assert.deepEqual(
      records.map(({ image: { file } }) => file),
      all.map(([, file]) => file),
    );
    assert.deepEqual(
      reasons,
      unsafe.map(() => 'unsafe-path'),
    );
    assert.deepEqual(counts, { 'path-shortened': outside.length });
  });

  it('uses coco_url if there is no file_name', async () => {
    const coco_url = 'http://images.cocodataset.org/train2017/000000000007.jpg';
    const { records } = await read({
      images: [image(7, { file_name: undefined, coco_url })],
      annotations: [],
      categories,
    });
    assert.equal(records[0]?.image.file, 'train2017/000000000007.jpg');
  });

  it('counts scores that are NaN or infinite', async () => {
    const of = (id: number, score: string) =>
      `{"id": ${id}, "image_id": 1, "category_id": 1, "bbox": [${id}, 0, 9, 9], "score": ${score}}`;
    const scores = ['0.5', 'NaN', 'Infinity', '-Infinity', '1e999', 'null'].map((score, k) => of(k + 1, score));
    const { records, counts } = await read(
      `{"images": [${JSON.stringify(image(1))}], "categories": ${JSON.stringify(categories)}, "annotations": [${scores}]}`,
    );
    assert.deepEqual(
      records[0]!.detections.map(({ score }) => score),
      [0.5, undefined, undefined, undefined, undefined, undefined],
    );
    assert.deepEqual(counts, { 'score-out-of-range': 4 });
  });

  it('rejects invalid annotations with a reason', async () => {
    const { items, records, counts } = await read(
      `{"images": [${JSON.stringify(image(1))}], "categories": ${JSON.stringify(categories)}, "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [NaN, 1, 2, Infinity]},
        {"id": 2, "image_id": null, "category_id": 1, "bbox": [0, 0, 1, 1]},
        {"id": 3, "image_id": 1, "category_id": [], "bbox": [0, 0, 1, 1]},
        {"id": {}, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2]},
        {"id": 5, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "iscrowd": "no"},
        {"id": 6, "image_id": 77, "category_id": 1, "bbox": [0, 0, 1, 1]},
        {"id": 7, "image_id": "x", "category_id": 1, "bbox": [0, 0, 1, 1]},
        {"id": 8, "image_id": 77, "category_id": 1, "bbox": [0, 0, 1, 1]},
        null,
        {"id": 9, "image_id": 1, "category_id": 5, "bbox": [0, 0, 1, 1]},
        {"id": 10, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}
      ]}`,
    );
    assert.deepEqual(
      records.map(({ detections }) => detections.map(({ id }) => id)),
      [[0, 10]],
    );
    assert.deepEqual(counts, {
      'malformed-box': 1,
      'undefined-category': 1,
      'bad-annotation-id': 1,
      'unknown-image-annotation': 3,
    });
    const rejected = (reason: string, message: string, fields: Fields) => ({ reason, message, ...fields });
    assert.deepEqual(
      items.flatMap(({ rejects = [] }) => rejects),
      [
        rejected(
          'malformed-annotation',
          'annotation 2: image_id is null, expected a whole number or a non-empty string',
          {
            detail: { annotation: 2 },
          },
        ),
        rejected(
          'malformed-annotation',
          'annotation 3: category_id is [], expected a whole number or a non-empty string',
          {
            image: 1,
            detail: { annotation: 3 },
          },
        ),
        rejected('malformed-annotation', 'annotation 5: iscrowd is "no", expected 0 or 1', {
          image: 1,
          detail: { annotation: 5 },
        }),
        rejected(
          'malformed-annotation',
          'annotation at position 8: image_id is missing, expected a whole number or a non-empty string',
          { detail: { position: 8 } },
        ),
        rejected('malformed-box', 'annotation 1: the box is [null,1,2,null], expected four finite numbers', {
          image: 1,
          detail: { annotation: 1 },
        }),
        rejected('unknown-image', 'image 77 is not in the file, but 2 annotations refer to it', {
          image: 77,
          detail: { annotations: 2 },
        }),
        rejected('unknown-image', 'image x is not in the file, but 1 annotation refers to it', {
          image: 'x',
          detail: { annotations: 1 },
        }),
      ],
    );
  });

  it('takes the box of the mask for an annotation without a box', async () => {
    const polygon = { segmentation: [[10, 5, 30, 5, 30, 25]] };
    const runs = { segmentation: { size: [50, 100], counts: [10, 20, 4970] } };
    const annotations = [
      annotation(1, 1, undefined, polygon),
      annotation(2, 1, [0, 0, 5, 5], polygon),
      annotation(3, 1, [], runs),
      annotation('a4', 1, null, { segmentation: [] }),
      annotation(5, 1, undefined),
      annotation(6, 2, ['1', '2', '3', '4'], polygon),
      annotation(7, 2, [Number.NaN, 0, 1, 1], polygon),
    ];
    const scene = { images: [image(1), image(2)], categories };
    for (const content of [
      { ...scene, annotations },
      { annotations, ...scene },
    ]) {
      const { records, counts, reasons } = await read(content);
      assert.deepEqual(
        records.map(({ detections }) => detections.map(({ id, box }) => [id, box])),
        [
          [
            [1, [10, 5, 20, 20]],
            [2, [0, 0, 5, 5]],
            [3, [0, 10, 1, 20]],
          ],
          [
            [6, [1, 2, 3, 4]],
            [7, [10, 5, 20, 20]],
          ],
        ],
      );
      assert.deepEqual(counts, { 'box-from-mask': 3, 'malformed-box': 2, 'box-as-text': 1 });
      assert.deepEqual(reasons, ['malformed-box', 'malformed-box']);
    }
    const { counts } = await read({ ...scene, annotations }, { compat: true });
    assert.deepEqual(counts, { 'malformed-box': 6 });
  });

  it('reads masks of any number of images with little memory, up to the limit', async () => {
    const images = Array.from({ length: 500 }, (_, i) => image(i));
    const annotations = images.map(({ id }) =>
      annotation(id, id, undefined, { segmentation: [[0, 0, (id as number) + 1, 10]] }),
    );
    const { records } = await read({ images, annotations, categories }, { limit: 90, memoryBytes: 2000 });
    assert.deepEqual(
      records.map(({ detections }) => detections[0]?.box),
      images.slice(0, 90).map(({ id }) => [0, 0, (id as number) + 1, 10]),
    );
  });

  it('reads a category name that is a number', async () => {
    const numbered = {
      images: [image(1)],
      annotations: [annotation(1, 1, [0, 0, 9, 9])],
      categories: [{ id: 1, name: 0 }],
    };
    const { records } = await read(numbered);
    assert.equal(records[0]?.detections[0]?.category, '0');
  });

  it('ends with an error if annotations have no categories', async () => {
    const content = { images: [image(1)], annotations: [annotation(1, 1, [0, 0, 9, 9])], categories: [] };
    await assert.rejects(() => read(content), {
      message: `${file}: 'categories' defines no category, but there are 1 annotations; expected [{"id": 1, "name": "person"}, …]`,
    });
    assert.equal((await read({ ...content, annotations: [] })).records.length, 1);
  });

  it('rejects invalid categories', async () => {
    const content = {
      images: [image(1)],
      annotations: [],
      categories: [{ id: 1, name: 'a' }, { id: 1, name: 'b' }, { id: 2, name: ' ' }, 3],
    };
    assert.deepEqual((await read(content)).reasons, ['duplicate-category', 'malformed-category', 'malformed-category']);
    const { images, annotations } = content;
    const reordered = { categories: content.categories, annotations, images };
    assert.deepEqual((await read(reordered)).reasons, [
      'duplicate-category',
      'malformed-category',
      'malformed-category',
    ]);
  });

  it('rejects images whose file does not exist if the image folder is given', async () => {
    const images = join(folder, 'images');
    mkdirSync(join(images, 'sub'), { recursive: true });
    writeFileSync(join(images, '1.jpg'), '');
    writeFileSync(join(images, 'sub', '2.jpg'), '');
    const content = { images: [image(1), image(2, { file_name: 'sub/2.jpg' }), image(3)], annotations: [], categories };
    const { records, items } = await read(content, { images });
    assert.deepEqual(
      records.map(({ image: { id } }) => id),
      [1, 2],
    );
    assert.deepEqual(items[2], {
      rejects: [{ reason: 'image-missing', message: 'image 3: no file 3.jpg in the image folder', image: 3 }],
    });
    const none = join(folder, 'none');
    await assert.rejects(read(content, { images: none }), { message: `${none}: no such image folder` });
  });

  it('behaves as RLIPv2 in compat mode', async () => {
    const content = {
      images: [image(1)],
      annotations: [
        annotation(1, 1, [0, 0, 5, 5], { iscrowd: 1, category_id: 18 }),
        annotation(2, 1, [-5, 0, 10, 10]),
        annotation(3, 1, [0, 0, 5, 10]),
        annotation(4, 1, [99, 49, 0, 5]),
      ],
      categories,
    };
    const { records } = await read(content, { compat: true });
    assert.deepEqual(
      records[0]?.detections.map(({ box }) => box),
      [
        [0, 0, 5, 10],
        [0, 0, 5, 10],
      ],
    );
    assert.deepEqual(records[0]?.rawCategories, ['dog', 'person']);
    assert.deepEqual((await read(content)).records[0]?.detections.length, 1);
    assert.equal('rawCategories' in ((await read(content)).records[0] ?? {}), false);
  });

  it('reads the files of a glob in sorted order, up to a limit of images', async () => {
    const parts = join(folder, 'parts');
    mkdirSync(parts);
    for (const [name, id] of [
      ['instances_b.json', 2],
      ['instances_a.json', 1],
      ['instances_c.json.gz', 3],
    ] as const) {
      const json = JSON.stringify({
        images: [image(id), image(id + 10)],
        annotations: [annotation(1, id, [0, 0, 1, 1])],
        categories,
      });
      writeFileSync(join(parts, name), name.endsWith('.gz') ? gzipSync(json) : json);
    }
    const annotations = join(parts, '*.json*');
    const source = coco({ annotations });
    assert.deepEqual(
      await source.files(),
      ['instances_a.json', 'instances_b.json', 'instances_c.json.gz'].map((name) => join(parts, name)),
    );
    const { records } = await readSource(source);
    assert.deepEqual(
      records.map(({ image: { id, split } }) => [id, split]),
      [
        [1, 'a'],
        [11, 'a'],
        [2, 'b'],
        [12, 'b'],
        [3, 'c'],
        [13, 'c'],
      ],
    );
    const limited = await readSource(coco({ annotations, limit: 3, split: 'all', dataset: 'mine' }));
    assert.deepEqual(
      limited.records.map(({ image: { id, split, dataset } }) => [id, split, dataset]),
      [
        [1, 'all', 'mine'],
        [11, 'all', 'mine'],
        [2, 'all', 'mine'],
      ],
    );
  });

  it('names the invalid option or file', async () => {
    assert.throws(() => coco({ annotations: '' }), {
      message: "coco: 'annotations' is missing, expected a path or a glob",
    });
    assert.throws(() => coco({ annotations: 'x', limit: 0 }), OptionError);
    const none = join(folder, 'none.json');
    await assert.rejects(coco({ annotations: none }).files(), { message: `${none}: no such file` });
    const noMatch = join(folder, 'no', '*.json');
    await assert.rejects(coco({ annotations: noMatch }).files(), {
      message: `${noMatch}: no file matches; ()[]{}*?! are special in a glob`,
    });
    await assert.rejects(read({ images: [], annotations: [] }), {
      message: `${file}: the array 'categories' is missing, found 'images', 'annotations'`,
    });
    await assert.rejects(read({ annotations: [], categories: [] }), {
      message: `${file}: the array 'images' is missing, found 'categories', 'annotations'`,
    });
    await assert.rejects(read(JSON.stringify(manyScenes(50)).slice(0, 20_000)), InputError);
    await assert.rejects(read([1] as unknown as Fields), {
      message: `${file}: the file is a list, expected an object with 'images', 'annotations' and 'categories'`,
    });
  });

  it('names a file of another kind', async () => {
    const object = "expected an object with 'images', 'annotations' and 'categories'";
    const instances = "expected instances with 'category_id' and 'bbox'";
    const scene = { images: [image(7)], categories };
    const kinds: [unknown, string][] = [
      [
        [annotation(1, 7, [0, 0, 1, 1], { score: 0.9 })],
        `the file is a list of detections (results of a detector), without images and categories, ${object}`,
      ],
      [[{ image_id: 7, caption: 'a dog' }], `the file is a list of captions, ${object}`],
      [[{ image_id: 7, objects: [] }], `the file is in the format of Visual Genome, ${object}`],
      [
        { ...scene, annotations: [{ image_id: 7, file_name: '7.png', segments_info: [{ id: 1, category_id: 1 }] }] },
        `the annotations have 'segments_info': a panoptic file, ${instances}`,
      ],
      [
        { ...scene, annotations: [{ image_id: 7, id: 1, caption: 'a dog' }] },
        `the annotations have a 'caption': a file of captions, ${instances}`,
      ],
    ];
    for (const [content, problem] of kinds) {
      await assert.rejects(read(content as Fields), (error) => {
        assert.ok(error instanceof InputError);
        assert.equal(error.message, `${file}: ${problem}`);
        return true;
      });
    }
  });

  it('reads 7, 7.0 and the texts of them as one id, wherever they occur', async () => {
    const forms = (id: number) => [`${id}`, `${id}.0`, `"${id}"`, `"${id}.0"`, `" ${id} "`, `${id}e0`] as const;
    const expected = await read({
      images: [image(7), image(8)],
      annotations: [7, 7, 8, 8, 7, 8].map((at, id) => annotation(id, at, [id, 0, 9, 9], { category_id: id % 2 || 18 })),
      categories,
    });
    for (let turn = 0; turn < 6; turn++) {
      const form = (id: number, place: number) => forms(id)[(turn + place) % 6] as string;
      const boxes = [7, 7, 8, 8, 7, 8].map(
        (at, id) =>
          `{"id": ${form(id, id)}, "image_id": ${form(at, id)}, "category_id": ${form(id % 2 || 18, id + 1)},
            "bbox": [${id}, 0, 9, 9], "iscrowd": 0}`,
      );
      const images = [7, 8].map(
        (id) => `{"id": ${form(id, id)}, "file_name": "${id}.jpg", "width": 100, "height": 50}`,
      );
      const names = categories.map(({ id, name }) => `{"id": ${form(id, 2)}, "name": "${name}"}`);
      const { records, reasons, counts } = await read(
        `{"images": [${images}], "annotations": [${boxes}], "categories": [${names}]}`,
      );
      assert.deepEqual(records, expected.records);
      assert.deepEqual([reasons, counts], [[], {}]);
    }
  });

  it('rejects the second of two images whose ids differ in type alone, and keeps other texts', async () => {
    const images = [image(7), image('7', { file_name: 'b.jpg' }), image('007'), image(' x ')];
    const { records, reasons } = await read({ images, annotations: [], categories });
    assert.deepEqual(
      records.map(({ image: { id, file } }) => [id, file]),
      [
        [7, '7.jpg'],
        ['007', '007.jpg'],
        ['x', ' x .jpg'],
      ],
    );
    assert.deepEqual(reasons, ['duplicate-image']);
  });

  it('reads ids beyond 2^53 exactly, and rejects those that a float has rounded', async () => {
    const huge = ['20230518123456789012', '20230518123456789013', '9007199254740993', '2.0230518123456789e19'];
    const images = huge.map((id) => `{"id": ${id}, "file_name": "a.jpg", "width": 100, "height": 50}`);
    const boxes = huge.map(
      (id, i) => `{"id": 1${huge[i === 3 ? 0 : i]}, "image_id": ${id}, "category_id": 1,
      "bbox": [0, 0, ${i + 1}, 1]}`,
    );
    const { items, records } = await read(
      `{"images": [${images}], "annotations": [${boxes}], "categories": ${JSON.stringify(categories)}}`,
    );
    assert.deepEqual(
      records.map(({ image: { id }, detections }) => [id, detections.map((one) => one.id)]),
      huge.slice(0, 3).map((id) => [id, [`1${id}`]]),
    );
    const problem =
      'is 20230518123456790000, a float beyond 9007199254740991 that has lost digits; expected the digits or a text';
    assert.deepEqual(
      items.flatMap(({ rejects = [] }) => rejects.map(({ message }) => message)),
      [`image at position 3: id ${problem}`, `annotation 120230518123456789012: image_id ${problem}`],
    );
  });

  it('keeps the box of an annotation whose own id is not usable', async () => {
    const ids = [1.5, true, '', [], 3];
    const annotations = ids.map((id, i) => annotation(id, 1, [i, 0, 9, 9]));
    const { records, reasons, counts } = await read({ images: [image(1)], annotations, categories });
    assert.deepEqual(
      records[0]?.detections.map(({ id }) => id),
      [0, 1, 2, 4, 3],
    );
    assert.deepEqual([reasons, counts], [[], { 'bad-annotation-id': 4 }]);
  });

  it('refuses files that share image ids before any record, and names them', async () => {
    const splits = join(folder, 'splits');
    mkdirSync(splits);
    const write = (name: string, ids: readonly unknown[]) => {
      const images = ids.map((id) => image(id));
      const sections = name === 'b.json' ? { annotations: [], images } : { images, annotations: [] };
      writeFileSync(join(splits, name), JSON.stringify({ ...sections, categories }));
    };
    write('a.json', [1, 2]);
    write('b.json', [3, 4, 4]);
    write('c.json', [5, '3', 4.0]);
    const source = coco({ annotations: join(splits, '*.json'), limit: 1 });
    await assert.rejects(readSource(source), {
      message:
        `${join(splits, 'c.json')}: 2 image ids are also in b.json, the first is 3: ` +
        'run each file separately, with its own captions and output folder',
    });
  });

  it('names both of two files of one name that share ids', async () => {
    const folders = ['train', 'valid'].map((split) => join(temporaryFolder(), split));
    for (const folder of folders) {
      mkdirSync(folder);
      writeFileSync(
        join(folder, '_annotations.coco.json'),
        JSON.stringify({ images: [{ id: 0, file_name: 'a.jpg' }], annotations: [], categories: [] }),
      );
    }
    const files = folders.map((folder) => join(folder, '_annotations.coco.json'));
    await assert.rejects(checkNoSharedIds(files, sourceContext()), ({ message }: Error) =>
      message.startsWith(`${files[1]}: 1 image ids are also in ${files[0]}, the first is 0`),
    );
  });

  it('removes temporary files when its consumer stops early, when it fails and when it is aborted', async () => {
    const json = JSON.stringify(manyScenes(300));
    writeFileSync(file, json);
    const early = sourceContext();
    for await (const { record } of coco({ annotations: file, memoryBytes: 1000 }).read(early)) {
      if (record?.image.id === 5) break;
      assert.equal(readdirSync(early.tempDir).length, 1);
    }
    assert.deepEqual(readdirSync(early.tempDir), []);

    writeFileSync(file, json.replace(/\}\]\}$/, '},{"id":oops}]}').replace('"categories":[', '"categories":[oops,'));
    const failing = sourceContext();
    await assert.rejects(async () => {
      for await (const _ of coco({ annotations: file, memoryBytes: 1000 }).read(failing));
    }, InputError);
    assert.deepEqual(readdirSync(failing.tempDir), []);

    writeFileSync(file, json);
    const stop = new AbortController();
    const aborted = sourceContext(stop.signal);
    await assert.rejects(
      async () => {
        for await (const _ of coco({ annotations: file, memoryBytes: 1000 }).read(aborted))
          stop.abort(new Error('enough'));
      },
      { message: 'enough' },
    );
    assert.deepEqual(readdirSync(aborted.tempDir), []);
  });

  it('names the data set after the annotation file, and COCO only after its own files or with compat', () => {
    const nameOf = (annotations: string, more = {}) => coco({ annotations, ...more }).options['dataset'];
    assert.equal(nameOf('a/warehouse.json.gz'), 'warehouse');
    assert.equal(nameOf('a/_annotations.coco.json'), '_annotations.coco');
    assert.equal(nameOf('a/instances_train.json'), 'instances');
    assert.equal(nameOf('a/kitchen/*.json'), 'kitchen');
    assert.equal(nameOf('a/instances_val2017.json'), 'coco2017');
    assert.equal(nameOf('a/instances_*2017.json'), 'coco2017');
    assert.equal(nameOf('a/warehouse.json', { compat: true }), 'coco2017');
    assert.equal(nameOf('a/warehouse.json', { dataset: 'mine' }), 'mine');
  });

  it('describes its options without paths of this machine', () => {
    const { options, adds } = coco({ annotations: file, images: folder, limit: 5 });
    assert.deepEqual(options, {
      annotations: 'instances_train2017.json',
      dataset: 'coco2017',
      compat: false,
      limit: 5,
      checksImages: true,
    });
    assert.deepEqual(adds, ['image', 'detections', 'origin', 'categories']);
  });
});
