import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import sharp from 'sharp';
import {
  EXPORT_FORMATS,
  type ExportFormatName,
  type ExportOptions,
  exportGraphs,
  OptionError,
  OutputError,
  type SceneGraph,
} from '../../../src/index.js';
import { Vg150File, vg150FilesOf } from '../../../src/sources/vg150-file.js';
import { temporaryFolder } from '../../support/folders.js';
import { threeRelations } from '../../support/three-relations.js';

const graphs = [
  threeRelations(),
  threeRelations(
    { objects: [{ id: 13, category: 'dog', box: [0, 0, 10, 10] }], relations: [] },
    { id: 8, file: 'sub/8.jpg' },
  ),
];

/** Exports scene graphs to a new place. */
async function exported(
  format: ExportFormatName,
  options: ExportOptions & { overwrite?: boolean } = {},
  from: readonly SceneGraph[] = graphs,
  path = join(temporaryFolder(), 'export'),
) {
  const source = {
    graphs: async function* () {
      yield* from;
    },
    about: { name: 'own', inputs: [{ file: 'instances.json', sha256: 'a'.repeat(64) }], stages: ['match 2'] },
  };
  return { path, ...(await exportGraphs(source, format, path, options)) };
}

/** Moves a relation one object further. */
const shift = <R extends { subject: number; object: number | null }>(relation: R): R => ({
  ...relation,
  subject: relation.subject + 1,
  object: relation.object === null ? null : relation.object + 1,
});

/** Reads an exported folder as the source does. */
async function readVg150(folder: string) {
  const file = await Vg150File.open(vg150FilesOf(join(folder, 'VG-SGG-with-attri.h5')));
  return { objects: file.objects, predicates: file.predicates, images: [...file.images(0), ...file.images(2)] };
}

const json = (path: string, name = '') => JSON.parse(readFileSync(join(path, name), 'utf8'));

describe('exports', () => {
  it('to COCO keep ids, and relations by the ids of annotations and predicates', async () => {
    const { path, notes } = await exported('coco');
    const coco = json(path);
    assert.deepEqual(coco.images, [
      { id: 7, file_name: '7.jpg', width: 640, height: 480 },
      { id: 8, file_name: 'sub/8.jpg', width: 640, height: 480 },
    ]);
    assert.deepEqual(
      coco.annotations.map(({ id, image_id, category_id, bbox }: Record<string, unknown>) => [
        id,
        image_id,
        category_id,
        bbox,
      ]),
      [
        [11, 7, 3, [10, 20, 30, 60]],
        [12, 7, 2, [5.5, 50, 90, 70]],
        [13, 8, 1, [0, 0, 10, 10]],
      ],
    );
    assert.deepEqual(coco.rel_categories, [
      { id: 0, name: 'next to' },
      { id: 1, name: 'riding' },
      { id: 2, name: 'smiling' },
    ]);
    assert.deepEqual(coco.rel_annotations, [
      { id: 1, image_id: 7, subject_id: 11, object_id: 12, predicate_id: 1, score: 0.75 },
      { id: 2, image_id: 7, subject_id: 11, object_id: 12, predicate_id: 0, score: 0.25 },
    ]);
    assert.deepEqual(notes, { 'relation-without-object': { count: 1, example: 'smiling' } });
  });

  it('give new numbers where ids are not unique whole numbers, and say so', async () => {
    const text = threeRelations({}, { id: 'a' });
    const { path, notes } = await exported('coco', {}, [text, { ...text, image: { ...text.image, id: 'b' } }]);
    const { images, annotations } = json(path);
    assert.deepEqual(
      images.map(({ id, original_id }: Record<string, unknown>) => [id, original_id]),
      [
        [1, 'a'],
        [2, 'b'],
      ],
    );
    assert.deepEqual(
      annotations.map(({ id }: { id: number }) => id),
      [1, 2, 3, 4],
    );
    assert.equal(notes['image-id-renumbered']?.count, 2);
  });

  it("to RelTR's folder have positions of objects, and predicates from 1", async () => {
    const { path } = await exported('reltr');
    assert.deepEqual(json(path, 'rel.json'), {
      train: {
        7: [
          [0, 1, 2],
          [0, 1, 1],
        ],
        8: [],
      },
      val: {},
      test: {},
      rel_categories: ['__background__', 'next to', 'riding', 'smiling'],
    });
    assert.equal(json(path, 'train.json').annotations.length, 3);
  });

  it('to Hugging Face are Parquet files with every field, and embedded images', async () => {
    const images = temporaryFolder();
    const pixel = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    writeFileSync(join(images, '7.jpg'), pixel);
    const { path, notes } = await exported('huggingface', { images, license: 'cc-by-4.0' });
    const file = await asyncBufferFromFile(join(path, 'data/train-00000-of-00001.parquet'));
    const [first, second] = await parquetReadObjects({ file, utf8: false });
    const image = first?.['image'] as { bytes: Uint8Array; path: string };
    assert.deepEqual([Buffer.from(image.bytes), image.path], [pixel, '7.jpg']);
    assert.equal(second?.['image'] ?? null, null);
    assert.equal(first?.['image_id'], 7n);
    assert.deepEqual(first?.['captions'], ['a man riding a horse']);
    assert.deepEqual(first?.['objects'], [
      { id: '11', category: 'person', bbox: [10, 20, 30, 60], score: null },
      { id: '12', category: 'horse', bbox: [5.5, 50, 90, 70], score: 0.9 },
    ]);
    assert.deepEqual(first?.['relations'], [
      { subject: 0, object: 1, predicate: 'riding', confidence: 0.75 },
      { subject: 0, object: 1, predicate: 'next to', confidence: 0.25 },
      { subject: 0, object: null, predicate: 'smiling', confidence: null },
    ]);
    assert.deepEqual(second?.['relations'], []);
    assert.deepEqual(notes, { 'image-missing': { count: 1, example: 'sub/8.jpg' } });
    const card = readFileSync(join(path, 'README.md'), 'utf8');
    assert.match(card, /^---\nlicense: cc-by-4\.0\n/);
    assert.match(card, /Scene graphs of 2 images with 3 objects and 3 relations/);
    const { distribution } = json(path, 'croissant.json');
    const sha256 = createHash('sha256')
      .update(readFileSync(join(path, distribution[0].contentUrl)))
      .digest('hex');
    assert.equal(distribution[0].sha256, sha256);
  });

  it('count every image once, also if ids of texts come after numbers and files are written again', async () => {
    const mixed = [threeRelations(), threeRelations({}, { id: 'b', file: 'b.jpg' }), threeRelations({}, { id: 9 })];
    const photos = temporaryFolder();
    const { images, relations, notes } = await exported(
      'huggingface',
      { images: photos, predicates: ['riding'] },
      mixed,
    );
    assert.deepEqual(
      [images, relations, notes['image-missing']?.count, notes['predicate-not-listed']?.count],
      [3, 3, 3, 6],
    );
  });

  it('copy or link images next to JSON Lines', async () => {
    const images = temporaryFolder();
    const pixel = 'GIF89a\x01\0\x01\0\0\0\0,';
    mkdirSync(join(images, 'sub'));
    writeFileSync(join(images, '7.jpg'), pixel);
    writeFileSync(join(images, 'sub/8.jpg'), '<html>404</html>');
    const copied = await exported('huggingface-jsonl', { images });
    assert.equal(readFileSync(join(copied.path, 'images/7.jpg'), 'utf8'), pixel);
    assert.ok(!existsSync(join(copied.path, 'images/sub')));
    assert.deepEqual(copied.notes, { 'image-not-readable': { count: 1, example: 'sub/8.jpg' } });
    assert.match(readFileSync(join(copied.path, 'data/train.jsonl'), 'utf8'), /"file_name":"images\/7\.jpg"/);
    const linked = await exported('huggingface-jsonl', { images, imageFiles: 'link' });
    assert.ok(lstatSync(join(linked.path, 'images/7.jpg')).isSymbolicLink());
    assert.equal(linked.notes['image-not-readable']?.count, 1);
    // Replacing the export removes the link, not the image.
    await exported('huggingface-jsonl', { overwrite: true }, graphs, linked.path);
    assert.ok(!existsSync(join(linked.path, 'images')));
    assert.equal(readFileSync(join(images, '7.jpg'), 'utf8'), pixel);
  });

  it("to PSG, Visual Genome, Label Studio, chat, GraphML and Neo4j have each one's ids", async () => {
    const psg = json((await exported('psg')).path);
    assert.deepEqual(psg.data[0].relations, [
      [0, 1, 1],
      [0, 1, 0],
    ]);
    assert.deepEqual(psg.data[0].annotations[1], { bbox: [5.5, 50, 95.5, 120], bbox_mode: 0, category_id: 1 });
    const genome = json((await exported('visual-genome')).path, 'scene_graphs.json');
    assert.deepEqual(
      genome[0].relationships.map(({ subject_id, object_id, predicate }: Record<string, unknown>) => [
        subject_id,
        predicate,
        object_id,
      ]),
      [
        [1, 'riding', 2],
        [1, 'next to', 2],
      ],
    );
    const [task] = json((await exported('label-studio')).path, 'tasks.json');
    const { result } = task.predictions[0];
    assert.deepEqual(result[0].value, {
      x: 1.5625,
      y: 4.1666666667,
      width: 4.6875,
      height: 12.5,
      rotation: 0,
      rectanglelabels: ['person'],
    });
    assert.deepEqual(result[2], {
      type: 'relation',
      from_id: '11',
      to_id: '12',
      direction: 'right',
      labels: ['riding'],
      score: 0.75,
    });
    const [line] = readFileSync(join((await exported('chat')).path, 'train.jsonl'), 'utf8').split('\n');
    const answer = JSON.parse(JSON.parse(line as string).messages[1].content);
    assert.deepEqual(answer.relations[0], { subject: 0, predicate: 'riding', object: 1 });
    assert.deepEqual(answer.objects[1], { label: 'horse', bbox_2d: [6, 50, 96, 120] });
    const graphml = readFileSync((await exported('graphml')).path, 'utf8');
    assert.match(graphml, /<edge source="own\/7#0" target="own\/7#1"><data key="edge-predicate">riding<\/data>/);
    const relations = readFileSync(join((await exported('neo4j')).path, 'relations.csv'), 'utf8').split('\n');
    assert.equal(relations[1], 'own/7#0,own/7#1,riding,0.75,RELATES_TO');
  });

  it('to HICO-DET and V-COCO have persons, verbs by their base form, and nothing that the sets cannot say', async () => {
    const dog = { id: 14, category: 'dog', box: [0, 0, 5, 5] } as const;
    const graph = threeRelations();
    const relations = [
      ...graph.relations,
      { subject: 1, object: 0, predicate: 'carrying', confidence: 0.5, captions: [0] },
    ];
    const from = [
      {
        ...graph,
        objects: [{ ...dog, category: 'unicorn', box: [0, 0, 9, 9] as const }, ...graph.objects],
        relations: relations.map(shift),
      },
    ];
    const hico = await exported('hico', {}, from);
    assert.deepEqual(json(hico.path), [
      {
        file_name: '7.jpg',
        annotations: [
          { bbox: [10, 20, 40, 80], category_id: 1 },
          { bbox: [5.5, 50, 95.5, 120], category_id: 19 },
        ],
        hoi_annotation: [{ subject_id: 0, object_id: 1, category_id: 77, hoi_category_id: 140 }],
      },
    ]);
    const reasons = Object.fromEntries(Object.entries(hico.notes).map(([reason, { count }]) => [reason, count]));
    assert.deepEqual(reasons, {
      'category-not-in-coco': 1,
      'predicate-in-base-form': 1,
      'predicate-not-in-list': 2,
      'subject-not-person': 1,
    });
    const vcoco = await exported('vcoco', {}, from);
    assert.deepEqual(json(vcoco.path)[0].hoi_annotation, [
      { subject_id: 0, object_id: 1, category_id: 3 },
      { subject_id: 0, object_id: -1, category_id: 23 },
    ]);
  });

  it('to Open Images, VG150 and FiftyOne have boxes as these sets have them', async () => {
    const rows = readFileSync((await exported('open-images')).path, 'utf8').split('\n');
    assert.equal(rows[1], '7,person,horse,0.015625,0.0625,0.041667,0.166667,0.008594,0.149219,0.104167,0.25,riding');
    const { path } = await exported('vg150', { split: 'train=0.5,test=0.5' });
    const { objects, predicates, images } = await readVg150(path);
    assert.deepEqual(
      [objects, predicates],
      [
        ['dog', 'horse', 'person'],
        ['next to', 'riding', 'smiling'],
      ],
    );
    const [first] = images.filter(({ id }) => id === 7);
    assert.deepEqual(first?.relations, [
      { subject: 0, object: 1, predicate: 2 },
      { subject: 0, object: 1, predicate: 1 },
    ]);
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = first?.objects[0]?.box ?? [];
    for (const [value, expected] of [
      [x1, 10],
      [y1, 20],
      [x2, 40],
      [y2, 80],
    ] as const)
      assert.ok(Math.abs(value - expected) < 1, `${value}`);
    const sample = JSON.parse(
      readFileSync(join((await exported('fiftyone')).path, 'samples.jsonl'), 'utf8').split('\n')[0] as string,
    );
    assert.deepEqual(sample.objects[0].bounding_box, [10 / 640, 20 / 480, 30 / 640, 60 / 480]);
    assert.deepEqual(sample.objects[0].relations, ['riding horse 1', 'next to horse 1', 'smiling']);
  });

  it('make names from data harmless in XML, CSV and Markdown', async () => {
    const name = '<b>"a",\u0000\n|`x`';
    const odd = threeRelations({ objects: [{ id: 1, category: name, box: [0, 0, 1, 1] }], relations: [] });
    const graphml = readFileSync((await exported('graphml', {}, [odd])).path, 'utf8');
    assert.match(graphml, /&lt;b&gt;&quot;a&quot;,\ufffd\n/);
    const objects = readFileSync(join((await exported('neo4j', {}, [odd])).path, 'objects.csv'), 'utf8');
    assert.ok(objects.includes('"<b>""a"",\u0000\n|`x`"'));
    const card = readFileSync(join((await exported('huggingface', {}, [odd])).path, 'README.md'), 'utf8');
    assert.ok(card.includes('\\<b\\>"a", \\|\\`x\\`'));
  });

  it('are filtered by an expression and by lists of names', async () => {
    const where = await exported('coco', { where: 'confidence > 0.5 and predicate != "smiling"', relatedOnly: true });
    assert.deepEqual([where.images, where.relations], [1, 1]);
    const listed = await exported('coco', { categories: ['person', 'dog'], predicates: ['smiling', 'riding'] });
    const { categories, annotations, rel_categories } = json(listed.path);
    assert.deepEqual(
      categories.map(({ name }: { name: string }) => name),
      ['person', 'dog'],
    );
    assert.deepEqual(
      rel_categories.map(({ name }: { name: string }) => name),
      ['smiling', 'riding'],
    );
    assert.deepEqual(
      annotations.map(({ id, category_id }: Record<string, number>) => [id, category_id]),
      [
        [11, 1],
        [13, 2],
      ],
    );
    assert.deepEqual(listed.notes['category-not-listed'], { count: 1, example: 'horse' });
  });

  it('are split by the hash of seed and image, the same in any order', async () => {
    const many = Array.from({ length: 400 }, (_, id) => threeRelations({}, { id, file: `${id}.jpg` }));
    const idsOf = async (from: readonly SceneGraph[], seed: number) => {
      const { path } = await exported('rlipv2', { split: '0.8/0.1/0.1', seed }, from);
      assert.deepEqual(readdirSync(path).sort(), ['relflow-export.json', 'test.json', 'train.json', 'val.json']);
      return ['train', 'val', 'test'].map((name) =>
        json(path, `${name}.json`).map(({ image_id }: { image_id: number }) => image_id),
      );
    };
    const [train, val, test] = await idsOf(many, 1);
    assert.deepEqual(
      [...train, ...val, ...test].sort((a, b) => a - b),
      many.map(({ image }) => image.id),
    );
    assert.ok(train.length > 290 && train.length < 350, `${train.length}`);
    // Numbers that any machine must find again.
    assert.deepEqual(test.slice(0, 5), [34, 72, 73, 84, 89]);
    const reversed = await idsOf([...many].reverse(), 1);
    assert.deepEqual(new Set(reversed[2]), new Set(test));
    assert.notDeepEqual((await idsOf(many, 2))[2], test);
    const { notes } = await exported('visual-genome', { split: '0.8/0.2' }, many.slice(0, 10));
    assert.deepEqual(notes['split-lost'], { count: 1, example: 'train, test' });
  });

  it('refuse options that are wrong or have no effect', async () => {
    const problems: [ExportFormatName, ExportOptions, RegExp][] = [
      ['coco', { images: '.' }, /images has no effect on the format 'coco', only on huggingface/],
      ['coco', { split: '0.8/0.1' }, /add up to 0\.9/],
      ['coco', { split: '1' }, /1 shares/],
      ['coco', { split: 'a=0.5,a=0.5' }, /'a' is named twice/],
      ['coco', { split: '../x=0.5,b=0.5' }, /is not a name/],
      ['coco', { where: 'x' }, /where: found 'x'/],
      ['coco', { minConfidence: 2 }, /minConfidence 2/],
      ['coco', { categories: ['a', 'a'] }, /'a' twice/],
      ['huggingface', { imageFiles: 'copy' }, /needs 'images'/],
      ['rlipv2-candidates', { where: 'confidence > 0' }, /where has no effect/],
    ];
    for (const [format, options, message] of problems)
      await assert.rejects(
        exported(format, options),
        (error) => error instanceof OptionError && message.test(error.message),
      );
  });

  it('replace only what an export wrote, and only with overwrite', async () => {
    for (const format of ['coco', 'reltr'] as const) {
      const { path } = await exported(format);
      await assert.rejects(exported(format, {}, graphs, path), OutputError);
      await exported(format, { overwrite: true }, graphs.slice(0, 1), path);
    }
    const { path } = await exported('reltr');
    writeFileSync(join(path, 'notes.txt'), 'mine');
    await assert.rejects(
      exported('reltr', { overwrite: true }, graphs, path),
      /contains notes\.txt, which no export wrote/,
    );
    const photos = temporaryFolder();
    mkdirSync(join(photos, 'a'));
    await assert.rejects(exported('reltr', { overwrite: true }, graphs, photos), /contains a, which no export wrote/);
    const link = join(temporaryFolder(), 'link');
    symlinkSync(photos, link);
    await assert.rejects(exported('reltr', { overwrite: true }, graphs, link), OutputError);
  });

  it('put an earlier export back that was interrupted while it was replaced', async () => {
    const { path } = await exported('reltr');
    renameSync(path, `${path}.0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a.replaced`);
    await assert.rejects(exported('reltr', {}, graphs, path), /already contains an export/);
    assert.ok(existsSync(join(path, 'rel.json')));
  });

  it('leave nothing when they fail', async () => {
    const folder = temporaryFolder();
    const source = {
      graphs: async function* () {
        yield threeRelations();
        throw new OptionError('test', 'stopped');
      },
      about: { name: 'own', inputs: [], stages: [] },
    };
    for (const format of Object.keys(EXPORT_FORMATS) as ExportFormatName[]) {
      if (EXPORT_FORMATS[format].sink === 'candidates') continue;
      await assert.rejects(exportGraphs(source, format, join(folder, 'out')), /stopped/, format);
      assert.deepEqual(readdirSync(folder), [], format);
    }
  });
});
