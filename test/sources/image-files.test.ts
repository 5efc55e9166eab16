import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { type CocoOptions, coco } from '../../src/sources/coco.js';
import { objects365 } from '../../src/sources/objects365.js';
import { visualGenome } from '../../src/sources/visual-genome.js';
import { temporaryFolder } from '../support/folders.js';
import { readSource } from '../support/read-source.js';

type Fields = Record<string, unknown>;

/** Writes a JPEG of 60 × 40 stored pixels. */
async function putImage(path: string, orientation = 1): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const create = { width: 60, height: 40, channels: 3, background: 'blue' } as const;
  writeFileSync(path, await sharp({ create }).jpeg().withMetadata({ orientation }).toBuffer());
}

function putAnnotations(path: string, images: readonly Fields[]): string {
  mkdirSync(dirname(path), { recursive: true });
  const annotations = images.map(({ id }) => ({ id, image_id: id, category_id: 1, bbox: [1, 2, 30, 20] }));
  writeFileSync(path, JSON.stringify({ images, annotations, categories: [{ id: 1, name: 'dog' }] }));
  return path;
}

const sized = { width: 60, height: 40 };

describe('files of images', () => {
  const read = async (images: readonly Fields[], folder: string, options: Partial<CocoOptions> = {}) => {
    const annotations = putAnnotations(join(folder, 'annotations', 'a.json'), images);
    return readSource(coco({ annotations, ...options }));
  };

  it('are not opened through links that lead out of the image folder, not even for their size', async () => {
    const [folder, outside] = [temporaryFolder(), temporaryFolder()];
    const images = join(folder, 'images');
    await putImage(join(images, '1.jpg'));
    await putImage(join(outside, '2.jpg'));
    for (const name of ['2.jpg', '3.jpg']) symlinkSync(join(outside, '2.jpg'), join(images, name));
    const files = [
      { id: 1, file_name: '1.jpg' },
      { id: 2, file_name: '2.jpg' },
      // Annotated with another size than the file has.
      { id: 3, file_name: '3.jpg', width: 50, height: 40 },
    ];
    const ids = (records: readonly { readonly image: { readonly id: unknown } }[]) =>
      records.map(({ image }) => image.id);
    const { records, counts, items } = await read(files, folder, { images });
    assert.deepEqual(ids(records), [1, 3]);
    assert.deepEqual(counts, { 'size-from-image': 1, 'refused-image-annotation': 1 });
    assert.deepEqual(
      items.flatMap(({ rejects = [] }) => rejects.map(({ reason }) => reason)),
      ['image-outside-folder'],
    );
    process.env['RELFLOW_FOLLOW_LINKS'] = '1';
    try {
      const followed = await read(files, folder, { images });
      assert.deepEqual([ids(followed.records), followed.counts['image-size-differs']], [[1, 2, 3], 1]);
    } finally {
      delete process.env['RELFLOW_FOLLOW_LINKS'];
    }
  });

  it('are found at the end of the path and under the base name below the image folder, never outside it', async () => {
    const folder = temporaryFolder();
    const images = join(folder, 'images');
    for (const name of ['1.jpg', 'b/2.jpg', 'sub/deep/3.jpg', '7.jpg', 'x/twice.jpg', 'y/twice.jpg'])
      await putImage(join(images, name));
    await putImage(join(folder, 'outside.jpg'));
    const names = [
      ['images/1.jpg', '1.jpg'],
      ['/home/me/a/b/2.jpg', 'b/2.jpg'],
      ['C:\\photos\\3.jpg', 'sub/deep/3.jpg'],
      ['https://host.org/bucket/1.jpg?key=1', '1.jpg'],
      [' 7.jpg', '7.jpg'],
      ['b/2.jpg', 'b/2.jpg'],
      ['../outside.jpg', null],
      [join(folder, 'outside.jpg'), null],
      ['twice.jpg', null],
    ] as const;
    const { records, counts, items } = await read(
      names.map(([file_name], id) => ({ id, file_name, ...sized })),
      folder,
      { images },
    );
    assert.deepEqual(
      records.map(({ image }) => [image.id, image.file]),
      names.flatMap(([, found], id) => (found === null ? [] : [[id, found]])),
    );
    assert.deepEqual(counts, { 'image-found-by-name': 5, 'refused-image-annotation': 3 });
    assert.deepEqual(
      items.flatMap(({ rejects = [] }) => rejects.map(({ reason, message }) => [reason, message])),
      [
        ['image-missing', 'image 6: no file outside.jpg in the image folder'],
        ['image-missing', 'image 7: no file outside.jpg in the image folder'],
        ['ambiguous-path', 'image 8: twice.jpg may be any of x/twice.jpg, y/twice.jpg in the image folder'],
      ],
    );
  });

  it('are found next to the annotation file, if the image folder has none or is not given', async () => {
    const folder = temporaryFolder();
    const images = join(folder, 'images');
    await putImage(join(images, '1.jpg'));
    await putImage(join(folder, 'annotations', '2.jpg'));
    const both = [
      { id: 1, file_name: '1.jpg', ...sized },
      { id: 2, file_name: '2.jpg', ...sized },
    ];
    const { records, reasons } = await read(both, folder, { images });
    assert.deepEqual([records.length, reasons], [2, []]);
    const withoutSize = await read([{ id: 2, file_name: '2.jpg' }], folder);
    assert.deepEqual(
      withoutSize.records.map(({ image: { width, height } }) => [width, height]),
      [[60, 40]],
    );
  });

  it('are found where annotation tools export them', async () => {
    const layouts: [tool: string, annotations: string, written: string, image: string, found: string][] = [
      ['CVAT', 'annotations/instances_default.json', '1.jpg', 'images/default/1.jpg', 'images/default/1.jpg'],
      ['CVAT, one subset', 'annotations/instances_default.json', '1.jpg', 'images/1.jpg', 'images/1.jpg'],
      ['COCO', 'annotations/instances_train2017.json', '1.jpg', 'train2017/1.jpg', 'train2017/1.jpg'],
      ['MMDetection', 'annotations/train.json', 'train/1.jpg', 'train/1.jpg', 'train/1.jpg'],
      ['FiftyOne', 'labels.json', '1.jpg', 'data/1.jpg', 'data/1.jpg'],
      ['Label Studio', 'result.json', 'images\\1.jpg', 'images/1.jpg', 'images/1.jpg'],
      ['Label Studio, upload', 'result.json', '/data/upload/4/1.jpg', 'images/1.jpg', 'images/1.jpg'],
      ['Roboflow', 'train/_annotations.coco.json', '1.jpg', 'train/1.jpg', '1.jpg'],
    ];
    for (const [tool, annotations, file_name, image, found] of layouts) {
      const folder = temporaryFolder();
      await putImage(join(folder, image));
      const file = putAnnotations(join(folder, annotations), [{ id: 1, file_name }]);
      const { records } = await readSource(coco({ annotations: file }));
      assert.deepEqual(
        records.map(({ image: { file, width } }) => [file, width]),
        [[found, 60]],
        tool,
      );
    }
  });

  it('that two subsets share by name are found in the folder of their own', async () => {
    const folder = temporaryFolder();
    for (const subset of ['train', 'val']) {
      await putImage(join(folder, subset, '1.jpg'));
      const annotations = putAnnotations(join(folder, 'a', `instances_${subset}.json`), [
        { id: 1, file_name: '1.jpg', ...sized },
      ]);
      const { records, counts } = await readSource(coco({ annotations, images: folder }));
      assert.deepEqual([records[0]?.image.file, counts], [`${subset}/1.jpg`, {}]);
    }
  });

  it('are found under another spelling of the name, and none is chosen from several', async () => {
    const folder = temporaryFolder();
    const images = join(folder, 'images');
    const files = [
      ['IMG_1.JPG', 'IMG_1.jpg'],
      ['img_2.png', 'sub/IMG_2.PNG'],
      ['caf\u00e9.jpg', 'cafe\u0301.jpg'],
      ['a%20b.jpg', 'a b.jpg'],
      ['c d.jpg', 'c%20d.jpg'],
      ['5.jpg', '5.jpeg'],
      ['100%.jpg', '100%.jpg'],
      ['a#1 (2).jpg', 'a#1 (2).jpg'],
    ] as const;
    for (const [, real] of files) await putImage(join(images, real));
    await putImage(join(images, 'TWICE.jpg'));
    await putImage(join(images, 'sub', 'Twice.jpg'));
    const entries = [...files.map(([written]) => written), 'twice.jpg', '5.png'];
    const { records, counts, reasons } = await read(
      entries.map((file_name, id) => ({ id, file_name, ...sized })),
      folder,
      { images },
    );
    assert.deepEqual(
      records.map(({ image: { file } }) => file),
      files.map(([, real]) => real),
    );
    assert.deepEqual(counts, { 'image-found-by-name': 6, 'refused-image-annotation': 2 });
    assert.deepEqual(reasons, ['ambiguous-path', 'image-missing']);
  });

  it('next to several annotation files have paths from their common folder', async () => {
    const folder = temporaryFolder();
    for (const split of ['train', 'valid']) {
      putAnnotations(join(folder, split, '_annotations.coco.json'), [{ id: split, file_name: '1.jpg' }]);
      await putImage(join(folder, split, '1.jpg'));
    }
    const { records } = await readSource(coco({ annotations: join(folder, '*', '_annotations.coco.json') }));
    assert.deepEqual(
      records.map(({ image: { file } }) => file),
      ['train/1.jpg', 'valid/1.jpg'],
    );
  });

  it('of Objects365 are found in the patch folders under a bare name', async () => {
    const folder = temporaryFolder();
    const images = join(folder, 'train');
    await putImage(join(images, 'patch0', 'a.jpg'));
    await putImage(join(images, 'patch16', 'b.jpg'));
    await putImage(join(images, 'images', 'v1', 'patch8', 'c.jpg'));
    const annotations = putAnnotations(
      join(folder, 'zhiyuan_objv2_train.json'),
      ['a.jpg', 'b.jpg', 'c.jpg', 'v2/patch0/a.jpg'].map((file_name, id) => ({ id, file_name, ...sized })),
    );
    const { records } = await readSource(objects365({ annotations, images }));
    assert.deepEqual(
      records.map(({ image: { file } }) => file),
      ['patch0/a.jpg', 'patch16/b.jpg', 'images/v1/patch8/c.jpg', 'patch0/a.jpg'],
    );
  });

  it('give the size that the annotations lack, upright unless in compat mode', async () => {
    const folder = temporaryFolder();
    const images = join(folder, 'images');
    for (const id of [1, 2, 3, 4]) await putImage(join(images, `${id}.jpg`));
    await putImage(join(images, '5.jpg'), 6);
    writeFileSync(join(images, '6.jpg'), 'no image');
    const entries = [
      { id: 1, file_name: '1.jpg' },
      { id: 2, file_name: '2.jpg', width: null, height: null },
      { id: 3, file_name: '3.jpg', width: '60', height: '40' },
      { id: 4, file_name: '4.jpg', width: 60.5, height: -1 },
      { id: 5, file_name: '5.jpg', width: 0, height: 0 },
      { id: 6, file_name: '6.jpg' },
    ];
    const { records, counts, items } = await read(entries, folder, { images });
    const sizes = records.map(({ image: { width, height } }) => [width, height]);
    assert.deepEqual(sizes, [...Array(4).fill([60, 40]), [40, 60]]);
    assert.deepEqual(counts, { 'size-from-image': 4, 'refused-image-annotation': 1 });
    assert.deepEqual(items.at(-1)?.rejects, [
      {
        reason: 'image-unreadable',
        message:
          'image 6: width is missing, expected a whole number of pixels from 1 to 1000000, and 6.jpg is not a readable image',
        image: 6,
      },
    ]);
    const official = await read(entries, folder, { images, compat: true });
    assert.deepEqual(official.records[4]?.image.width, 60);
  });

  it('that are not images are counted, also if the annotations have their sizes', async () => {
    const folder = temporaryFolder();
    const images = join(folder, 'images');
    await putImage(join(images, 'a.jpg'));
    writeFileSync(join(images, 'empty.jpg'), '');
    writeFileSync(join(images, 'page.jpg'), '<html>404</html>');
    const files = ['a.jpg', 'empty.jpg', 'page.jpg'];
    const entries = files.map((file_name, id) => ({ id, file_name, width: 60, height: 40 }));
    const { records, counts } = await read(entries, folder, { images });
    assert.equal(records.length, 3);
    assert.deepEqual(counts, { 'image-not-readable': 2 });
  });

  it('with another size than annotated are counted', async () => {
    const folder = temporaryFolder();
    const images = join(folder, 'images');
    await putImage(join(images, 'a.jpg'));
    await putImage(join(images, 'b.jpg'), 6);
    const entries = [
      { file_name: 'a.jpg', width: 120, height: 80 },
      { file_name: 'a.jpg', width: 60, height: 60 },
      { file_name: 'b.jpg', width: 40, height: 60 },
      { file_name: 'b.jpg', width: 60, height: 40 },
    ].map((entry, id) => ({ id, ...entry }));
    const { records, counts } = await read(entries, folder, { images });
    assert.equal(records.length, 4);
    assert.deepEqual(counts, { 'image-size-differs': 1, 'annotated-before-rotation': 1 });
    assert.deepEqual((await read(entries, folder, { images, compat: true })).counts, {});
  });

  it('give the sizes that image_data.json lacks', async () => {
    const folder = temporaryFolder();
    const images = join(folder, 'images');
    await putImage(join(images, 'VG_100K', '1.jpg'));
    const put = (name: string, value: unknown) => {
      writeFileSync(join(folder, name), JSON.stringify(value));
      return join(folder, name);
    };
    const object = { object_id: 3, names: ['dog'], x: 1, y: '2', w: 30, h: 20 };
    const source = visualGenome({
      sceneGraphs: put('scene_graphs.json', [{ image_id: 1, objects: [object], relationships: [] }]),
      imageData: put('image_data.json', [{ image_id: 2, ...sized }]),
      images,
    });
    const { records, counts } = await readSource(source);
    assert.deepEqual([records[0]?.image.width, records[0]?.detections[0]?.box], [60, [1, 2, 30, 20]]);
    assert.deepEqual(counts, { 'size-from-image': 1, 'box-as-text': 1 });
  });
});
