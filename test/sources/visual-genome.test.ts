import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { OptionError } from '../../src/errors.js';
import { type VisualGenomeOptions, visualGenome } from '../../src/sources/visual-genome.js';
import { pixelIou } from '../../src/sources/visual-genome-preprocess.js';
import { temporaryFolder } from '../support/folders.js';
import { readSource } from '../support/read-source.js';

type Fields = Record<string, unknown>;

const folder = temporaryFolder();
const at = (name: string, value: unknown) => {
  const path = join(folder, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
};
const imageData = at(
  'image_data.json',
  [1, 2, 3, 4].map((image_id) => ({ image_id, width: 200, height: 100, url: '' })),
);

function object(object_id: number, name: unknown, box: readonly unknown[]): Fields {
  const [x, y, w, h] = box;
  return { object_id, x, y, w, h, names: Array.isArray(name) ? name : [name], synsets: [] };
}

function relationship(subject: Fields, predicate: unknown, to: Fields, relationship_id = 1): Fields {
  return { relationship_id, predicate, subject, object: to, synsets: [] };
}

function readTwo(objects: unknown[], relationships: unknown[], options: Partial<VisualGenomeOptions> = {}) {
  const files = { objects: at('objects.json', objects), relationships: at('relationships.json', relationships) };
  return readSource(visualGenome({ ...files, imageData, ...options } as VisualGenomeOptions));
}

function readGraphs(graphs: unknown[], options: Partial<VisualGenomeOptions> = {}) {
  return readSource(
    visualGenome({ sceneGraphs: at('scene_graphs.json', graphs), imageData, ...options } as VisualGenomeOptions),
  );
}

const man = object(11, ['Man ', 'guy'], [0, 0, 50, 90]);
const horse = object(12, 'horse', [40, 10, 100, 80]);
const hat = object(13, 'hat', [10, 0, 20, 10]);

describe('visualGenome', () => {
  it('joins objects and relationships whatever the order of the files', async () => {
    const objects = [1, 2, 3].map((image_id) => ({ image_id, objects: [man, horse] }));
    const relationships = [3, 1].map((image_id) => ({
      image_id,
      relationships: [relationship(man, ' Riding', horse)],
    }));
    const { records, counts, reasons } = await readTwo(objects, relationships);
    assert.deepEqual(
      records.map(({ image, relations }) => [image.id, relations.length]),
      [
        [1, 1],
        [2, 0],
        [3, 1],
      ],
    );
    assert.deepEqual(records[0], {
      image: { id: 1, file: '1.jpg', width: 200, height: 100, dataset: 'vg', split: '' },
      detections: [
        { id: 11, category: 'man', box: [0, 0, 50, 90] },
        { id: 12, category: 'horse', box: [40, 10, 100, 80] },
      ],
      origin: { source: 'visual-genome', file: 'objects.json' },
      relations: [{ subject: 0, object: 1, predicate: 'riding' }],
      tagger: null,
    });
    assert.deepEqual([counts, reasons], [{}, []]);
  });

  it('adds objects and images that only occur in relationships', async () => {
    const { records, counts } = await readTwo(
      [{ image_id: 1, objects: [man] }],
      [
        { image_id: 4, relationships: [relationship(man, 'has', hat)] },
        { image_id: 1, relationships: [relationship(man, 'on', horse), relationship(man, 'near', horse)] },
      ],
    );
    assert.deepEqual(
      records.map(({ image, detections }) => [image.id, detections.map(({ category }) => category)]),
      [
        [1, ['man', 'horse']],
        [4, ['man', 'hat']],
      ],
    );
    assert.deepEqual(counts, { 'object-from-relationship': 3 });
  });

  it('reads scene graphs, in which relations refer to objects by id', async () => {
    const relationships = [
      { relationship_id: 1, predicate: 'on', subject_id: 11, object_id: 12 },
      { relationship_id: 2, predicate: 'on', subject_id: 11, object_id: 99 },
    ];
    const { records, counts } = await readGraphs([{ image_id: 2, objects: [horse, man], relationships }]);
    assert.deepEqual(records[0]?.relations, [{ subject: 1, object: 0, predicate: 'on' }]);
    assert.deepEqual(counts, { 'unknown-object': 1 });
  });

  it('accepts a name as a string, as in older files', async () => {
    const old = { object_id: 5, x: 0, y: 0, w: 9, h: 9, name: 'Cup' };
    const { records } = await readTwo(
      [{ image_id: 1, objects: [{ ...old, name: undefined, names: 'Cup' }] }],
      [{ image_id: 2, relationships: [relationship(old, 'on', { ...old, object_id: 6, name: 'table' })] }],
    );
    assert.deepEqual(
      records.map(({ detections }) => detections.map(({ category }) => category)),
      [['cup'], ['cup', 'table']],
    );
  });

  it('applies the official preprocessing steps in order and counts them', async () => {
    const almostMan = object(21, 'gentleman', [1, 1, 50, 88]);
    const farMan = object(22, 'man', [120, 0, 50, 90]);
    const almostHorse = object(23, 'Horse', [41, 10, 100, 80]);
    const objects = [man, horse, almostMan, farMan, almostHorse];
    const relations = [
      relationship(man, 'Riding ', horse),
      relationship(man, 'riding', horse),
      relationship(almostMan, 'rides', almostHorse),
      relationship(farMan, 'riding', horse),
      relationship(almostMan, 'near', almostHorse),
      relationship(horse, 'under', man),
      relationship(man, ' ', horse),
    ];
    const options = {
      objectAliases: at('object_alias.txt', 'man,gentleman,guy\n\nhorse,pony\n'),
      relationshipAliases: at('relationship_alias.txt', 'riding,rides,ride\n'),
    };
    const entry = [[{ image_id: 1, objects }], [{ image_id: 1, relationships: relations }]] as const;
    const { records, counts } = await readTwo([...entry[0]], [...entry[1]], options);
    assert.deepEqual(records[0]?.relations, [
      { subject: 0, object: 1, predicate: 'riding' },
      { subject: 3, object: 1, predicate: 'riding' },
      { subject: 2, object: 4, predicate: 'near' },
      { subject: 1, object: 0, predicate: 'under' },
    ]);
    assert.deepEqual(counts, { 'duplicate-relation': 1, 'near-duplicate-relation': 1, 'empty-predicate': 1 });

    const without = await readTwo([...entry[0]], [...entry[1]]);
    assert.deepEqual(without.counts, { 'duplicate-relation': 1, 'empty-predicate': 1 });
    const limited = await readTwo([...entry[0]], [...entry[1]], { ...options, maxRelations: 2 });
    assert.equal(limited.records[0]?.relations.length, 2);
    assert.equal(limited.counts['relation-limit'], 2);
  });

  it('drops relations with rare names of the whole set, as the official preprocessing does on request', async () => {
    const pony = object(24, 'pony', [100, 10, 50, 80]);
    const scenes = [1, 2, 3].map((image_id) => ({
      image_id,
      objects: image_id === 3 ? [man, horse, pony] : [man, horse],
    }));
    const relations = [
      [relationship(man, 'riding', horse), relationship(man, 'Riding', horse), relationship(man, 'feeding', horse)],
      [relationship(man, 'riding', horse), relationship(hat, 'near', horse)],
      [relationship(man, 'riding', pony), relationship(man, 'near', horse)],
    ].map((relationships, i) => ({ image_id: i + 1, relationships }));
    const read = await readTwo(scenes, relations, { minOccurrences: 2 });
    assert.deepEqual(
      read.records.map(({ relations }) => relations.map(({ predicate }) => predicate)),
      [['riding'], ['riding'], ['near']],
    );
    assert.deepEqual(
      read.records.map(({ detections }) => detections.length),
      [2, 3, 3],
    );
    assert.deepEqual(read.counts, {
      'duplicate-relation': 1,
      'object-from-relationship': 1,
      'rare-predicate': 1,
      'rare-category': 2,
    });
    const first = await readTwo(scenes, relations, { minOccurrences: 2, limit: 1 });
    assert.deepEqual(first.records, read.records.slice(0, 1));
    assert.throws(
      () => visualGenome({ sceneGraphs: 'a.json', imageData, minOccurrences: 2, preprocess: false }),
      new OptionError(
        'visual-genome',
        "'minOccurrences' has no effect without the preprocessing, which 'preprocess' turns off",
      ),
    );
  });

  it('keeps names and relations unchanged without preprocessing', async () => {
    const twin = { ...man, object_id: 14 };
    const relations = [
      relationship(man, 'Riding ', horse),
      relationship(man, 'Riding ', horse),
      relationship(man, 'is', man),
    ];
    const { records, counts } = await readTwo(
      [{ image_id: 1, objects: [man, horse, twin] }],
      [{ image_id: 1, relationships: relations }],
      {
        preprocess: false,
      },
    );
    assert.deepEqual(
      records[0]?.detections.map(({ category }) => category),
      ['Man ', 'horse', 'Man '],
    );
    assert.deepEqual(records[0]?.relations, [
      { subject: 0, object: 1, predicate: 'Riding ' },
      { subject: 0, object: 1, predicate: 'Riding ' },
    ]);
    assert.deepEqual(counts, { 'self-relation': 1 });
  });

  it('redirects relations to the objects that are kept', async () => {
    const twin = { ...horse, object_id: 15 };
    const flat = object(16, 'line', [0, 0, 10, 0]);
    const nameless = object(17, [], [0, 0, 10, 10]);
    const broken = object(18, 'dog', [0, null, 10, 10]);
    const relations = [
      relationship(man, 'on', twin),
      relationship(man, 'on', horse),
      relationship(horse, 'like', twin),
      relationship(man, 'on', flat),
      relationship(nameless, 'on', man),
      relationship(man, 'on', broken),
    ];
    const { records, counts, reasons } = await readTwo(
      [{ image_id: 1, objects: [flat, man, horse, twin, nameless, broken] }],
      [{ image_id: 1, relationships: relations }],
    );
    assert.deepEqual(records[0]?.relations, [{ subject: 0, object: 1, predicate: 'on' }]);
    assert.deepEqual(counts, {
      'zero-area': 1,
      'duplicate-box': 1,
      'undefined-category': 1,
      'malformed-box': 1,
      'near-duplicate-relation': 1,
      'self-relation': 1,
      'relation-of-dropped-box': 3,
    });
    assert.deepEqual(reasons, ['malformed-box']);
  });

  it('rejects invalid entries with a reason', async () => {
    const { records, items } = await readTwo(
      [
        { image_id: 1, objects: [man] },
        { objects: [] },
        { image_id: 1, objects: [] },
        { image_id: 77, objects: [] },
        { image_id: '../../x', objects: [] },
        { image_id: 2, objects: [] },
        7,
      ],
      [
        {
          image_id: 1,
          relationships: [{ predicate: 5, relationship_id: 3 }, null, relationship(man, 'on', { object_id: 'x' })],
        },
      ],
      {
        imageData: at('sizes.json', [
          { id: 1, width: 9, height: 9 },
          { image_id: 2, width: 9, height: 9 },
          { image_id: '../../x', width: 1, height: 1 },
          { image_id: 77, width: 'x' },
          null,
        ]),
      },
    );
    assert.deepEqual(
      records.map(({ image }) => image.id),
      [1, 2],
    );
    const rejects = items.flatMap(({ rejects = [] }) => rejects.map(({ reason, message }) => `${reason}: ${message}`));
    assert.deepEqual(rejects, [
      'malformed-relationship: image 1: expected a predicate and the ids of two objects, found {"predicate":5,"relationship_id":3}',
      'malformed-relationship: image 1: expected a predicate and the ids of two objects, found null',
      'malformed-box: annotation x: the box is [null,null,null,null], expected four finite numbers',
      'malformed-image: entry 1: image_id is missing, expected a whole number or a non-empty string',
      'duplicate-image: image 1 occurs more than once; only the first entry is used',
      'unknown-size: image 77: no width and height in sizes.json, and no image folder to read them from',
      'unsafe-path: image ../../x: "../../x.jpg" is not a path within the image folder',
      'malformed-image: entry 6: image_id is missing, expected a whole number or a non-empty string',
    ]);
  });

  it('rejects an image whose objects or relationships are not a list', async () => {
    const [objects, relationships] = [[man, horse], [relationship(man, 'on', horse)]];
    const together = await readGraphs([
      { image_id: 1, objects: 'none', relationships },
      { image_id: 2, objects, relationships: {} },
      { image_id: 3, objects: null, relationships: 7 },
      { image_id: 4 },
    ]);
    const idsOf = ({ records }: typeof together) => records.map(({ image }) => image.id);
    const rejectsOf = ({ items }: typeof together) => items.flatMap(({ rejects = [] }) => rejects);
    const refused = (image: number, list: string, value: string) => ({
      reason: `malformed-${list}`,
      message: `image ${image}: ${list} is ${value}, expected a list`,
      image,
    });
    assert.deepEqual(idsOf(together), [4]);
    assert.deepEqual(rejectsOf(together), [
      refused(1, 'objects', '"none"'),
      refused(2, 'relationships', '{}'),
      refused(3, 'objects', 'null'),
      refused(3, 'relationships', '7'),
    ]);

    const apart = await readTwo(
      [
        { image_id: 1, objects: 'none' },
        { image_id: 2, objects },
        { image_id: 3, objects },
      ],
      [
        { image_id: 1, relationships },
        { image_id: 2, relationships: {} },
        { image_id: 4, relationships: 7 },
      ],
    );
    assert.deepEqual(idsOf(apart), [3]);
    assert.deepEqual(rejectsOf(apart), [
      refused(1, 'objects', '"none"'),
      refused(2, 'relationships', '{}'),
      refused(4, 'relationships', '7'),
    ]);
  });

  it('keeps one copy of an object that is both in the image and inside its relations', async () => {
    const relationships = [
      relationship(man, 'on', horse),
      relationship(man, 'has', hat),
      relationship(man, 'near', hat),
    ];
    const { records, counts, reasons } = await readGraphs([{ image_id: 1, objects: [horse, man], relationships }], {
      preprocess: false,
    });
    assert.deepEqual(
      records[0]?.detections.map(({ id }) => id),
      [12, 11, 13],
    );
    assert.deepEqual(records[0]?.relations, [
      { subject: 1, object: 0, predicate: 'on' },
      { subject: 1, object: 2, predicate: 'has' },
      { subject: 1, object: 2, predicate: 'near' },
    ]);
    assert.deepEqual([counts, reasons], [{ 'object-from-relationship': 1 }, []]);
  });

  it('redirects relations of merged objects, whatever form their ids have', async () => {
    const merging = { ...man, merged_object_ids: [15, 16] };
    const almostMan = { ...man, object_id: '15', x: 1 };
    const two = await readTwo(
      [{ image_id: 1, objects: [merging, horse] }],
      [{ image_id: '1', relationships: [relationship(almostMan, 'on', horse), relationship(horse, 'under', man)] }],
    );
    const graphs = await readGraphs([
      {
        image_id: 1,
        objects: [merging, { ...horse, object_id: '12' }, { ...hat, object_id: 16 }],
        relationships: [
          { predicate: 'on', subject_id: '15', object_id: 12.0 },
          { predicate: 'under', subject_id: 12, object_id: '11' },
          { predicate: 'on', subject_id: 16, object_id: 11 },
        ],
      },
    ]);
    const relations = [
      { subject: 0, object: 1, predicate: 'on' },
      { subject: 1, object: 0, predicate: 'under' },
    ];
    assert.deepEqual(two.records[0]?.detections.length, 2);
    assert.deepEqual(two.records[0]?.relations, relations);
    assert.deepEqual([two.counts, two.reasons], [{ 'merged-object': 1 }, []]);
    // An object that is listed itself is not a copy, whatever another object lists.
    assert.deepEqual(graphs.records[0]?.relations, [...relations, { subject: 2, object: 0, predicate: 'on' }]);
    assert.deepEqual([graphs.counts, graphs.reasons], [{ 'merged-object': 1 }, []]);
  });

  it('uses relationships in the objects file, and objects in the relationships file', async () => {
    const { records, counts, reasons } = await readTwo(
      [
        { image_id: 1, objects: [man, horse], relationships: [relationship(man, 'on', horse)] },
        { image_id: 2, objects: [man], relationships: [relationship(man, 'has', hat), null] },
      ],
      [{ image_id: 1, objects: [hat, man], relationships: [{ predicate: 'has', subject_id: 11, object_id: 13 }] }],
    );
    assert.deepEqual(
      records.map(({ detections, relations }) => [detections.map(({ id }) => id), relations]),
      [
        [
          [11, 12, 13],
          [
            { subject: 0, object: 1, predicate: 'on' },
            { subject: 0, object: 2, predicate: 'has' },
          ],
        ],
        [[11, 13], [{ subject: 0, object: 1, predicate: 'has' }]],
      ],
    );
    assert.deepEqual([counts, reasons], [{ 'object-from-relationship': 2 }, ['malformed-relationship']]);
  });

  it('assigns to an object without an id the lowest number that its image does not use', async () => {
    const idless = (box: readonly number[]) => ({ ...object(0, 'cup', box), object_id: undefined });
    const objects = [
      idless([0, 0, 5, 5]),
      object(0, 'cup', [1, 0, 5, 5]),
      idless([2, 0, 5, 5]),
      object(2, 'cup', [3, 0, 5, 5]),
    ];
    const { records, counts } = await readGraphs([{ image_id: 1, objects }]);
    assert.deepEqual(
      records[0]?.detections.map(({ id }) => id),
      [1, 0, 3, 2],
    );
    assert.deepEqual(counts, {});
  });

  it('counts invalid sizes, and accepts ids as numbers or strings', async () => {
    const entry = { objects: [man, horse] };
    const relationships = [{ image_id: '2', relationships: [relationship(man, 'on', horse)] }];
    const { records, items, reasons } = await readTwo(
      [1, '2', 3].map((image_id) => ({ image_id, ...entry })),
      relationships,
      {
        imageData: at('sizes.json', [
          { image_id: '1', width: 200, height: 100 },
          { image_id: 1, width: 7, height: 7 },
          { image_id: 2, width: 200, height: 100 },
          { image_id: 3, width: 0, height: 100 },
          { width: 5, height: 5 },
          null,
        ]),
      },
    );
    assert.deepEqual(items[0], { counts: { 'duplicate-size': 1, 'malformed-size': 3 } });
    assert.deepEqual(
      records.map(({ image: { id, width }, relations }) => [id, width, relations.length]),
      [
        [1, 200, 0],
        [2, 200, 1],
      ],
    );
    assert.deepEqual(reasons, ['unknown-size']);

    const mixed = await readTwo(
      [
        { image_id: 2, ...entry },
        { image_id: '2', ...entry },
      ],
      relationships,
    );
    assert.deepEqual(
      mixed.records.map(({ relations }) => relations.length),
      [1],
    );
    assert.deepEqual(mixed.reasons, ['duplicate-image']);
  });

  it('rejects images whose file does not exist if the image folder is given', async () => {
    const images = join(folder, 'images');
    mkdirSync(join(images, 'VG_100K_2'), { recursive: true });
    writeFileSync(join(images, '1.jpg'), '');
    writeFileSync(join(images, 'VG_100K_2', '2.jpg'), '');
    const graphs = [1, 2, 3].map((image_id) => ({ image_id, objects: [], relationships: [] }));
    const { records, reasons } = await readGraphs(graphs, { images });
    assert.deepEqual(
      records.map(({ image }) => image.file),
      ['1.jpg', 'VG_100K_2/2.jpg'],
    );
    assert.deepEqual(reasons, ['image-missing']);
  });

  it('reads gzip, and stops at the limit', async () => {
    const sceneGraphs = join(folder, 'scene_graphs.json.gz');
    writeFileSync(sceneGraphs, gzipSync(JSON.stringify([1, 2, 3].map((image_id) => ({ image_id, objects: [man] })))));
    const { records, progress } = await readSource(visualGenome({ sceneGraphs, imageData, limit: 2 }));
    assert.deepEqual(
      records.map(({ image }) => image.id),
      [1, 2],
    );
    assert.deepEqual(progress.at(-1), { phase: 'records', done: 2, total: 2 });
  });

  it('names the invalid option, and lists its files', async () => {
    const sceneGraphs = at('scene_graphs.json', []);
    assert.throws(() => visualGenome({ sceneGraphs } as VisualGenomeOptions), {
      message: "visual-genome: 'imageData' is missing, expected the path of image_data.json, which has the image sizes",
    });
    assert.throws(() => visualGenome({ objects: 'x', imageData } as unknown as VisualGenomeOptions), {
      message: "visual-genome: expected 'objects' and 'relationships', or 'sceneGraphs'",
    });
    assert.throws(() => visualGenome({ sceneGraphs, imageData, maxRelations: 0 }), OptionError);
    const source = visualGenome({ sceneGraphs, imageData, objectAliases: imageData });
    assert.deepEqual(await source.files(), [sceneGraphs, imageData, imageData]);
    const none = join(folder, 'none.json');
    await assert.rejects(visualGenome({ sceneGraphs: none, imageData }).files(), { message: `${none}: no such file` });
  });
});

describe('pixelIou', () => {
  it('measures a box from 0 to 9 as 10 pixels', () => {
    // Source: the official implementation on (0, 0, 9, 9) and (5, 5, 14, 14).
    assert.equal(pixelIou([0, 0, 9, 9], [5, 5, 9, 9]), 25 / 175);
    assert.equal(pixelIou([0, 0, 9, 9], [0, 0, 9, 9]), 1);
    assert.equal(pixelIou([0, 0, 9, 9], [9, 9, 9, 9]), 1 / 199);
    assert.equal(pixelIou([0, 0, 9, 9], [10, 10, 9, 9]), 0);
  });
});
