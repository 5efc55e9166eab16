import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

type Fields = Record<string, unknown>;

const caption = 'a man riding a horse next to a dog';
const boxes = [
  [100, 50, 80, 200],
  [80, 150, 200, 250],
  [320, 300, 80, 90],
];

/** Returns a set of images with a person, a horse and a dog, after a change of each image or annotation. */
function riders(
  images: readonly Fields[],
  change: (annotation: Fields, index: number) => Fields = (annotation) => annotation,
  names: readonly unknown[] = ['person', 'horse', 'dog'],
) {
  return {
    images: images.map((image) => ({ file_name: `${image['id']}.jpg`, width: 640, height: 480, ...image })),
    annotations: images.flatMap(({ id }, at) =>
      boxes.map((bbox, k) => {
        const fields: Fields = { id: 3 * at + k, image_id: id, category_id: k + 1, bbox, iscrowd: 0 };
        return change(fields, k);
      }),
    ),
    categories: names.map((name, k) => ({ id: k + 1, name })),
  };
}

/** The files of images in the output that have the relation `riding` between the first two boxes, or a line. */
interface Situation {
  readonly annotations: unknown;
  readonly captions?: unknown;
  readonly riding?: readonly (string | null)[];
  readonly line?: RegExp;
  readonly code?: number;
}

const polygon = (bbox: readonly number[]) => {
  const [x = 0, y = 0, w = 0, h = 0] = bbox;
  return [[x, y, x + w, y, x + w, y + h, x, y + h]];
};
const id7 = [{ id: 7 }];

const situations: Readonly<Record<string, Situation>> = {
  '01 ids as texts and as numbers': {
    annotations: riders([{ id: '7' }, { id: 8.0 }], (annotation) => ({
      ...annotation,
      image_id: Number(annotation['image_id']),
      category_id: `${annotation['category_id']}`,
    })),
    captions: { annotations: [7, '8'].map((image_id, id) => ({ id, image_id, caption })) },
    riding: ['7.jpg', '8.jpg'],
  },
  '03 no file_name, as in LVIS': {
    annotations: riders([
      { id: 7, file_name: undefined, coco_url: 'http://images.cocodataset.org/val2017/000000000007.jpg' },
    ]),
    riding: ['val2017/000000000007.jpg'],
  },
  '04 paths of Label Studio': {
    annotations: riders(
      ['images\\1/a.jpg', '..\\..\\upload\\4\\b.png', '/data/local-files/?d=shots/c%20d.jpg'].map((file_name, k) => ({
        id: k,
        file_name,
      })),
    ),
    captions: { 0: [caption], 1: [caption], 2: [caption] },
    riding: ['images/1/a.jpg', 'b.png', 'shots/c d.jpg'],
  },
  '05 polygons without boxes': {
    annotations: riders(id7, ({ bbox, ...annotation }) => ({ ...annotation, segmentation: polygon(bbox as number[]) })),
    riding: ['7.jpg'],
  },
  '06 boxes as texts': {
    annotations: riders(id7, ({ bbox, ...rest }) => ({ ...rest, bbox: (bbox as number[]).map(String) })),
    riding: ['7.jpg'],
  },
  '06 boxes as fractions': {
    annotations: riders(id7, ({ bbox, ...rest }) => ({
      ...rest,
      bbox: (bbox as number[]).map((side, k) => side / (k % 2 ? 480 : 640)),
    })),
    riding: ['7.jpg'],
    line: /3 boxes are fractions of the image and were scaled/,
  },
  '06 boxes of two corners': {
    annotations: riders(id7, ({ bbox, ...rest }) => {
      const [x = 0, y = 0, w = 0, h = 0] = bbox as number[];
      return { ...rest, bbox: [x + 100, y, x + 100 + w, y + h] };
    }),
    line: /of 3 boxes reach far beyond their image[\s\S]*not two corners/,
  },
  '07 ids of annotations beyond 2^53': {
    annotations: `${JSON.stringify(riders(id7)).replace(/"id":(\d),"image_id"/g, '"id":1182023051812345678$1,"image_id"')}`,
    riding: ['7.jpg'],
  },
  '07 ids of images beyond 2^53': {
    annotations: JSON.stringify(riders([{ id: 'A' }, { id: 'B' }]))
      .replaceAll('"A"', '20230518123456789012')
      .replaceAll('"B"', '20230518123456789013'),
    captions: { '20230518123456789012': [caption], '20230518123456789013': [caption] },
    riding: ['A.jpg', 'B.jpg'],
  },
  '08 captions by padded file name': {
    annotations: riders([{ id: 391895, file_name: '000000391895.jpg' }]),
    captions: { '000000391895.jpg': caption },
    riding: ['000000391895.jpg'],
  },
  '08 captions as results': { annotations: riders(id7), captions: [{ image_id: 7, caption }], riding: ['7.jpg'] },
  '09 UTF-16': { annotations: Buffer.from(`\ufeff${JSON.stringify(riders(id7))}`, 'utf16le'), riding: ['7.jpg'] },
  '09 an HTML page': { annotations: '<!DOCTYPE html><html></html>', code: 1, line: /the file is an HTML page/ },
  '13 PSG': {
    annotations: { data: [], thing_classes: ['person'], stuff_classes: [], predicate_classes: ['on'] },
    code: 1,
    line: /in the format of the PSG data set, expected COCO's object/,
  },
  '14 names in other spellings': {
    annotations: riders(id7, (annotation) => annotation, ['Person', 'horse ', 'DOGS']),
    riding: ['7.jpg'],
  },
  '14 names that are numbers': {
    annotations: riders(id7, (annotation) => annotation, [0, 1, 2]),
    code: 1,
    line: /only relations from boxes in 1 image: 3 of 3 noun phrases name no category/,
  },
  '14 names without ids': {
    annotations: { ...riders(id7), categories: ['person', 'horse'] },
    code: 1,
    line: /'categories' defines no category[^\n]*found "person"/,
  },
  '14 no categories': {
    annotations: { ...riders(id7), categories: [] },
    code: 1,
    line: /'categories' defines no category/,
  },
  '15 no sizes and no images': {
    annotations: riders([{ id: 7, width: null }]),
    code: 1,
    line: /width is null[^\n]*give the image folder/,
  },
  '16 marks of crowds, and scores': {
    annotations: riders([{ id: 1 }, { id: 2 }, { id: 3 }], ({ image_id, ...rest }) => ({
      ...rest,
      image_id,
      ...[{ iscrowd: '0' }, { iscrowd: false }, { score: 95 }][Number(image_id) - 1],
    })),
    captions: { 1: [caption], 2: [caption], 3: [caption] },
    riding: [null, '2.jpg', '3.jpg'],
    line: /iscrowd is "0", expected 0 or 1[\s\S]*3 of 6 boxes have a score that is not a number from 0 to 1/,
  },
  '17 annotations first, and floats': {
    annotations: JSON.stringify(Object.fromEntries(Object.entries(riders(id7)).reverse()))
      .replace(/"id":7,/, '"id":7e0,')
      .replaceAll('"image_id":7,', '"image_id":7.0,'),
    riding: ['7.jpg'],
  },
  '19 categories of no list': {
    annotations: riders(id7, (annotation) => annotation, ['Forklift', 'wooden_pallet', 'hi-vis vest']),
    captions: { 7: ['a fork lift lifting a wooden pallet'] },
    line: /1 with relations/,
  },
  '20 captions of other images': {
    annotations: riders(id7),
    captions: { 501: [caption] },
    code: 1,
    line: /no caption for image 7[^\n]*for images such as '501'/,
  },
  '21 absolute paths and URLs': {
    annotations: riders(
      ['/home/u/1.jpg', 'C:\\d\\2.jpg', 'https://host/b/3.jpg?x=1', 'a: b.jpg'].map((file_name, id) => ({
        id,
        file_name,
      })),
    ),
    captions: { 0: [caption], 1: [caption], 2: [caption], 3: [caption] },
    riding: ['1.jpg', '2.jpg', '3.jpg', 'a: b.jpg'],
  },
  '22 a panoptic file': {
    annotations: { ...riders(id7), annotations: [{ image_id: 7, file_name: '7.png', segments_info: [] }] },
    code: 1,
    line: /a panoptic file, expected instances/,
  },
  '22 results of a detector': {
    annotations: riders(id7).annotations,
    code: 1,
    line: /a list of detections \(results of a detector\)/,
  },
  '25 one id twice': {
    annotations: riders([{ id: 7 }, { id: '7', file_name: 'b.jpg' }]),
    riding: ['7.jpg'],
    line: /image 7 occurs more than once/,
  },
};

describe('situations that people have reported', function () {
  this.timeout(60_000);

  for (const [name, { annotations, captions = { 7: [caption] }, riding, line, code = 0 }] of Object.entries(situations))
    it(name, async () => {
      const folder = temporaryFolder();
      mkdirSync(join(folder, 'in'));
      const write = (file: string, content: unknown) => {
        const path = join(folder, 'in', file);
        const raw = typeof content === 'string' || Buffer.isBuffer(content);
        writeFileSync(path, raw ? content : JSON.stringify(content));
        return path;
      };
      const out = join(folder, 'out');
      const files = ['--annotations', write('a.json', annotations), '--captions', write('c.json', captions)];
      const { code: exit, stdout, stderr } = await relflow(['run', 'coco', ...files, '--out', out]);
      assert.equal(exit, code, stdout + stderr);
      if (line) assert.match(stdout + stderr, line);
      if (!riding) return;
      const shards = join(out, 'scene-graphs');
      const graphs = readdirSync(shards).flatMap((file) => readFileSync(join(shards, file), 'utf8').trim().split('\n'));
      const found = graphs.map((text) => {
        const { image, relations } = JSON.parse(text) as { image: { file: string }; relations: Fields[] };
        const has = relations.some(
          ({ subject, object, predicate }) => subject === 0 && object === 1 && predicate === 'riding',
        );
        return has ? image.file : null;
      });
      assert.deepEqual(found, riding);
      assert.equal((await relflow(['validate', out])).code, 0);
    });
});
