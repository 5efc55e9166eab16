import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { writeVg150 } from '../../scripts/scenes/vg150-files.js';
import { gqa, hico, openImages, psg, vcoco, vg150 } from '../../src/index.js';
import { temporaryFolder } from '../support/folders.js';
import { readSource } from '../support/read-source.js';

const folder = temporaryFolder();

function put(name: string, value: unknown): string {
  const file = join(folder, name);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text);
  return file;
}

async function putImages(name: string, ...files: string[]): Promise<string> {
  const images = join(folder, name);
  const pixels = await sharp({ create: { width: 100, height: 80, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer();
  for (const file of files) {
    mkdirSync(join(images, file, '..'), { recursive: true });
    writeFileSync(join(images, file), pixels);
  }
  return images;
}

/** Relations by the categories of their objects, `-` for none. */
const triplets = ({ records }: Awaited<ReturnType<typeof readSource>>) =>
  (
    records as {
      detections: { category: string }[];
      relations: { subject: number; object: number | null; predicate: string }[];
    }[]
  ).map(({ detections, relations }) =>
    relations.map(
      ({ subject, object, predicate }) =>
        `${detections[subject]?.category} ${predicate} ${object === null ? '-' : detections[object]?.category}`,
    ),
  );

const interaction = (subject_id: number, object_id: number, category_id: number, hoi_category_id?: number) => ({
  subject_id,
  object_id,
  category_id,
  ...(hoi_category_id !== undefined && { hoi_category_id }),
});

describe('hico', () => {
  const annotations = [
    { bbox: [10, 10, 40, 70], category_id: 1 },
    { bbox: [30, 20, 90, 120], category_id: 2 },
    { bbox: [10, 10, 40, 70], category_id: 1 },
    { bbox: [5, 5, 5, 20], category_id: 2 },
    { bbox: [5, 5, 9, 20], category_id: 12 },
  ];
  const image = (name: string, hoi_annotation: object[]) => ({ file_name: name, annotations, hoi_annotation });

  it('reads persons, objects and verbs, with sizes of the files in their folder', async () => {
    const images = await putImages('hico', 'train2015/HICO_train2015_00000001.jpg', 'HICO_train2015_00000002.jpg');
    const file = put('hico.json.gz', [
      image('HICO_train2015_00000001.jpg', [
        interaction(0, 1, 77, 19),
        interaction(0, 1, 37, 12),
        interaction(2, 1, 77, 19),
        interaction(2, 2, 113, 1),
        interaction(0, 3, 77, 19),
        interaction(0, 1, 118, 1),
      ]),
      image('HICO_train2015_00000002.jpg', []),
    ]);
    const read = await readSource(hico({ annotations: file, images }));
    const [first, second] = read.records;
    assert.deepEqual(first?.image, {
      id: 'HICO_train2015_00000001.jpg',
      file: 'train2015/HICO_train2015_00000001.jpg',
      width: 100,
      height: 80,
      dataset: 'hico',
      split: 'train2015',
    });
    assert.deepEqual(
      first?.detections.map(({ category, box }) => [category, ...box]),
      [
        ['person', 10, 10, 30, 60],
        ['bicycle', 30, 20, 60, 60],
        ['person', 10, 10, 30, 60],
      ],
    );
    assert.deepEqual(triplets(read), [
      ['person ride bicycle', 'person hold bicycle', 'person ride bicycle', 'person watch person'],
      [],
    ]);
    assert.deepEqual(first?.relations[3], { subject: 2, object: 2, predicate: 'watch' });
    assert.deepEqual([second?.relations, second?.detections.length], [[], 3]);
    assert.equal(first?.categories?.length, 80);
    assert.deepEqual(read.counts, {
      'size-from-image': 2,
      'zero-area': 2,
      'undefined-category': 2,
      clipped: 2,
      'far-beyond-image': 2,
      'relation-of-dropped-box': 1,
      'undefined-predicate': 1,
    });
  });

  it('rejects images whose interactions refer to no box, that occur twice, or whose file is missing', async () => {
    const images = await putImages('hico', 'HICO_test2015_00000001.jpg');
    const file = put('test_hico.json', [
      image('HICO_test2015_00000001.jpg', [interaction(0, 1, 77, 19)]),
      image('HICO_test2015_00000001.jpg', []),
      image('HICO_test2015_00000002.jpg', []),
      image('HICO_test2015_00000003.jpg', [interaction(0, 9, 77, 19)]),
    ]);
    const read = await readSource(hico({ annotations: file, images }));
    assert.deepEqual(read.reasons, ['duplicate-image', 'image-missing', 'dangling-interaction']);
    assert.equal(read.records.length, 1);
    const without = await readSource(hico({ annotations: file }));
    assert.deepEqual(without.reasons, [
      'malformed-image',
      'duplicate-image',
      'malformed-image',
      'dangling-interaction',
    ]);
    const other = put('vcoco-as-hico.json', [image('COCO_val2014_000000000001.jpg', [interaction(0, -1, 4)])]);
    await assert.rejects(readSource(hico({ annotations: other, images })), /read the file as V-COCO/);
  });
});

describe('vcoco', () => {
  const images = [
    { id: 7, file_name: 'COCO_val2014_000000000007.jpg', width: 100, height: 80 },
    { id: 8, file_name: 'COCO_val2014_000000000008.jpg', width: 100, height: 80 },
  ];
  const instances = put('instances_vcoco_all_2014.json', {
    images,
    annotations: [
      { id: 70, image_id: 7, category_id: 1, bbox: [10, 10, 30, 60], iscrowd: 0 },
      { id: 71, image_id: 7, category_id: 48, bbox: [20, 30, 10, 10], iscrowd: 0 },
      { id: 80, image_id: 8, category_id: 1, bbox: [10, 10, 30, 60], iscrowd: 0 },
    ],
    categories: [],
  });
  const action = (
    name: string,
    roles: string[],
    entries: [image: number, person: number, label: number, ...number[]][],
  ) => ({
    action_name: name,
    role_name: ['agent', ...roles],
    include: [[], ...roles.map(() => [])],
    image_id: entries.map(([image]) => image),
    ann_id: entries.map(([, person]) => person),
    label: entries.map(([, , label]) => label),
    role_object_id: [
      ...entries.map(([, person]) => person),
      ...roles.flatMap((_, k) => entries.map((entry) => entry[3 + k]!)),
    ],
  });
  const own = put('vcoco_test.json', [
    action(
      'cut',
      ['instr', 'obj'],
      [
        [7, 70, 1, 71, 0],
        [8, 80, 0, 0, 0],
      ],
    ),
    action(
      'smile',
      [],
      [
        [7, 70, 1],
        [8, 80, 0],
      ],
    ),
    action(
      'hold',
      ['obj'],
      [
        [7, 70, 1, 71],
        [8, 80, 0, 0],
      ],
    ),
  ]);
  const person = { bbox: [10, 10, 40, 70], category_id: 1 };
  const converted = (extra: object[] = []) =>
    put('test_vcoco.json', [
      {
        file_name: 'COCO_val2014_000000000007.jpg',
        annotations: [person, { bbox: [20, 30, 30, 40], category_id: 48 }],
        hoi_annotation: [
          interaction(0, 1, 0),
          interaction(0, 1, 16),
          interaction(0, -1, 17),
          interaction(0, -1, 23),
          ...extra,
        ],
      },
      { file_name: 'COCO_val2014_000000000008.jpg', annotations: [person], hoi_annotation: [] },
    ]);

  it('reads both forms to the same relations, some without an object', async () => {
    const first = await readSource(vcoco({ annotations: own, instances }));
    assert.deepEqual(triplets(first), [
      ['person hold fork', 'person cut with fork', 'person cut -', 'person smile -'],
      [],
    ]);
    assert.deepEqual(first.records[0]?.image, { ...imageOf(7), dataset: 'vcoco', split: 'val2014' });
    const folderOfImages = await putImages('vcoco', ...images.map(({ file_name }) => `val2014/${file_name}`));
    const second = await readSource(vcoco({ annotations: converted(), images: folderOfImages }));
    assert.deepEqual(triplets(second), triplets(first));
    assert.deepEqual(
      second.records.map(({ detections }) => detections.map(({ box }) => box)),
      first.records.map(({ detections }) => detections.map(({ box }) => box)),
    );
  });

  const imageOf = (id: number) => {
    const { file_name, ...image } = images.find((one) => one.id === id)!;
    return { ...image, file: file_name };
  };

  it('says what is missing', async () => {
    await assert.rejects(
      readSource(vcoco({ annotations: own })),
      /V-COCO's own form, which has no boxes; expected also/,
    );
    const few = put('instances.json', {
      images: images.slice(0, 1),
      annotations: [{ id: 70, image_id: 7, category_id: 1, bbox: [10, 10, 30, 60] }],
    });
    const read = await readSource(vcoco({ annotations: own, instances: few }));
    assert.deepEqual(read.reasons, ['unknown-image']);
    assert.deepEqual(triplets(read), [['person cut -', 'person smile -']]);
    assert.deepEqual(read.counts, { 'unknown-object': 2 });
    const folderOfImages = await putImages('vcoco', 'val2014/COCO_val2014_000000000007.jpg');
    await assert.rejects(
      readSource(vcoco({ annotations: converted([interaction(0, 1, 77, 19)]), images: folderOfImages })),
      /with the verb 77 .* read the file as HICO-DET/,
    );
  });
});

describe('openImages', () => {
  const categories = put('categories_dict.json', { obj: ['Tree', 'Man', 'Horse'], rel: ['at', 'rides'] });

  it('reads the forms of RLIPv2 and PySGG', async () => {
    const images = await putImages('oi', 'abc.jpg');
    const rlip = put('OI_SGG_test.json', [
      {
        file_name: 'abc.jpg',
        annotations: [
          { bbox: [10, 10, 40, 70], category_id: 1 },
          { bbox: [20, 30, 90, 79], category_id: 2 },
          { bbox: [20, 30, 90, 79], category_id: 3 },
        ],
        rel_annotations: [
          { subject_id: 0, object_id: 1, category_id: 1 },
          { subject_id: 0, object_id: 1, category_id: 2 },
          { subject_id: 0, object_id: 2, category_id: 1 },
        ],
      },
    ]);
    const first = await readSource(openImages({ annotations: rlip, categories, images, split: 'test' }));
    assert.deepEqual(first.records[0]?.image, {
      id: 'abc',
      file: 'abc.jpg',
      width: 100,
      height: 80,
      dataset: 'open-images',
      split: 'test',
    });
    assert.deepEqual(triplets(first), [['Man rides Horse']]);
    assert.deepEqual(first.counts, {
      'size-from-image': 1,
      'undefined-category': 1,
      'undefined-predicate': 1,
      'relation-of-dropped-box': 1,
    });
    const pysgg = put('vrd-test-anno.json', [
      {
        img_fn: 'abc',
        img_size: [100, 80],
        bbox: [
          [10, 10, 40, 70],
          [20, 30, 90, 79],
        ],
        det_labels: [1, 2],
        rel: [[0, 1, 1]],
      },
    ]);
    const second = await readSource(openImages({ annotations: pysgg, categories, split: 'test' }));
    assert.deepEqual(second.records[0]?.relations, first.records[0]?.relations);
    assert.deepEqual(second.records[0]?.image, first.records[0]?.image);
    await assert.rejects(readSource(openImages({ annotations: pysgg })), /expected also their names, categories_dict/);
  });

  it('reads the original CSV, rows of an image anywhere, without attributes', async () => {
    const header = 'ImageID,LabelName1,LabelName2,XMin1,XMax1,YMin1,YMax1,XMin2,XMax2,YMin2,YMax2,RelationshipLabel';
    const rows = [
      'abc,/m/man,/m/horse,0.1,0.5,0.25,1,0,1,0,1,rides',
      'def,/m/man,/m/man,0.1,0.5,0.25,1,0.5,0.75,0.25,0.5,at',
      'abc,/m/man,/m/wood,0.1,0.5,0.25,1,0.1,0.5,0.25,1,is',
      'abc,/m/man,/m/horse,0.1,0.5,0.25,1,0,1,0,1,at',
      'abc,/m/man,/m/horse,0.1,?,0.25,1,0,1,0,1,at',
      'ghi,/m/man,/m/cart,0.1,0.5,0.25,1,0,1,0,1,at',
    ];
    const file = put('oidv6-test-annotations-vrd.csv', [header, ...rows, ''].join('\n'));
    const descriptions = put('class-descriptions.csv', 'LabelName,DisplayName\n/m/man,Man\n/m/horse,"Horse, riding"\n');
    const images = await putImages('oi', 'abc.jpg', 'def.jpg', 'ghi.jpg');
    const read = await readSource(openImages({ annotations: file, descriptions, images }));
    assert.deepEqual(
      read.records.map(({ image }) => image.id),
      ['abc', 'def', 'ghi'],
    );
    assert.deepEqual(triplets(read), [['Man rides Horse, riding', 'Man at Horse, riding'], ['Man at Man'], []]);
    assert.deepEqual(read.records[0]?.detections, [
      { id: 0, category: 'Man', box: [10, 20, 40, 60] },
      { id: 1, category: 'Horse, riding', box: [0, 0, 100, 80] },
    ]);
    assert.deepEqual(read.counts, {
      attribute: 1,
      'malformed-row': 1,
      'size-from-image': 3,
      'undefined-category': 1,
      'relation-of-dropped-box': 1,
    });
    const named = await readSource(openImages({ annotations: file, images, limit: 1 }));
    assert.deepEqual(triplets(named), [['/m/man rides /m/horse', '/m/man at /m/horse']]);
  });
});

describe('vg150', () => {
  it('reads the training, validation and test images', async () => {
    const objects = [
      { label: 1, box: [100, 100, 50, 50] },
      { label: 2, box: [200, 100, 50, 50] },
    ] as const;
    const image = (id: number, split: number, relations: [number, number, number][] = [[0, 1, 1]]) => ({
      id,
      width: 1024,
      height: 768,
      split,
      objects,
      relations,
    });
    const paths = await writeVg150(folder, {
      objects: ['man', 'horse'],
      predicates: ['near', 'riding'],
      images: [
        image(1, 0),
        image(2, 0, []),
        image(3, 0),
        image(4, 2, [
          [0, 1, 2],
          [0, 1, 1],
          [0, 0, 1],
        ]),
        image(5, 0),
      ],
    });
    const ids = async (options: Partial<Parameters<typeof vg150>[0]>) =>
      (await readSource(vg150({ ...paths, ...options }))).records.map(({ image }) => image.id);
    assert.deepEqual(await ids({ split: 'train', validationImages: 1 }), [3, 5]);
    assert.deepEqual(await ids({ split: 'val', validationImages: 1 }), [1]);
    assert.deepEqual(await ids({ split: 'train', validationImages: 0, withoutRelations: true }), [1, 2, 3, 5]);
    await assert.rejects(ids({ split: 'train' }), /no image for 'train': of the 3 images .* the first 5000 are 'val'/);
    const test = await readSource(vg150({ ...paths, split: 'test' }));
    assert.deepEqual(triplets(test), [['man riding horse', 'man near horse', 'man near man']]);
    assert.deepEqual(test.records[0]?.categories, ['man', 'horse']);
    const all = await readSource(vg150({ ...paths, split: 'all', validationImages: 1 }));
    assert.deepEqual(
      all.records.map(({ image }) => [image.id, image.split]),
      [
        [1, 'val'],
        [3, 'train'],
        [5, 'train'],
        [4, 'test'],
      ],
    );
    assert.throws(
      () => vg150({ ...paths, split: 'rest' as 'test' }),
      /unknown split 'rest', expected one of train, val/,
    );
  });
});

describe('psg', () => {
  const image = (id: number, relations: number[][]) => ({
    image_id: String(id),
    file_name: `val2017/${id}.jpg`,
    width: 100,
    height: 80,
    segments_info: [],
    annotations: [
      { bbox: [10, 10, 40, 70], category_id: 0, bbox_mode: 0 },
      { bbox: [0, 50, 100, 80], category_id: 1, bbox_mode: 0 },
    ],
    relations,
  });
  const data = [
    image(3, [
      [0, 1, 0],
      [0, 1, 1],
      [0, 1, 1],
    ]),
    image(4, []),
    image(5, [[1, 0, 1]]),
  ];
  const names = {
    thing_classes: ['person'],
    stuff_classes: ['grass'],
    predicate_classes: ['over', 'standing on'],
    test_image_ids: ['5'],
  };

  it('reads things and stuff, with the names before or after the images', async () => {
    for (const content of [
      { ...names, data },
      { data, ...names },
    ]) {
      const read = await readSource(psg({ annotations: put('psg.json', content) }));
      assert.deepEqual(triplets(read), [
        ['person over grass', 'person standing on grass', 'person standing on grass'],
        ['grass standing on person'],
      ]);
      assert.deepEqual(read.records[1]?.image, {
        id: 5,
        file: 'val2017/5.jpg',
        width: 100,
        height: 80,
        dataset: 'psg',
        split: 'test',
      });
      assert.deepEqual(read.records[0]?.categories, ['person', 'grass']);
    }
    const file = put('psg.json', { ...names, data });
    const ids = async (options: object) =>
      (await readSource(psg({ annotations: file, ...options }))).records.map(({ image: { id } }) => id);
    assert.deepEqual(await ids({ split: 'test' }), [5]);
    assert.deepEqual(await ids({ split: 'train', withoutRelations: true }), [3, 4]);
  });

  it('names the image of a relation of no object', async () => {
    const file = put('bad-psg.json', { ...names, data: [image(3, [[0, 2, 0]])] });
    await assert.rejects(readSource(psg({ annotations: file })), /image 3: relation 0 is \[0,2,0\], .*below 2/);
    const without = put('no-names.json', { data });
    await assert.rejects(readSource(psg({ annotations: without })), /'thing_classes' is missing/);
  });
});

describe('gqa', () => {
  it('reads objects and relations by their ids', async () => {
    const file = put('val_sceneGraphs.json', {
      '2407890': {
        width: 100,
        height: 80,
        objects: {
          '21': {
            name: 'man',
            x: 10,
            y: 10,
            w: 30,
            h: 60,
            attributes: ['tall'],
            relations: [
              { object: '22', name: 'riding' },
              { object: '22', name: 'on' },
              { object: '9', name: 'near' },
            ],
          },
          '22': { name: 'horse', x: 20, y: 30, w: 60, h: 40, attributes: [], relations: [] },
        },
      },
    });
    const read = await readSource(gqa({ annotations: file }));
    assert.deepEqual(triplets(read), [['man riding horse', 'man on horse']]);
    assert.deepEqual(read.records[0]?.image, {
      id: 2407890,
      file: '2407890.jpg',
      width: 100,
      height: 80,
      dataset: 'gqa',
      split: 'val',
    });
    assert.deepEqual(read.counts, { 'unknown-object': 1 });
  });
});
