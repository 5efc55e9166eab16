import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { objects365 } from '../../src/sources/objects365.js';
import { objects365Categories } from '../../src/vocabulary/categories.js';
import { temporaryFolder } from '../support/folders.js';
import { readSource } from '../support/read-source.js';

const folder = temporaryFolder();
const file = join(folder, 'zhiyuan_objv2_train.json');

function write(categories: unknown[], fileName = 'images/v2/patch16/objects365_v2_00900461.jpg'): void {
  const annotations = categories.map((category, i) => ({
    id: i,
    iscrowd: 0,
    isfake: 1,
    area: 25,
    isreflected: 1,
    bbox: [(i % 90) * 5, Math.floor(i / 90) * 5, 5, 5],
    image_id: 900461,
    category_id: (category as { id: number }).id,
  }));
  const images = [{ height: 512, id: 900461, license: 5, width: 769, file_name: fileName, url: '' }];
  writeFileSync(file, JSON.stringify({ images, annotations, categories, licenses: [] }));
}

describe('objects365', () => {
  it('uses the category names of the vocabulary, in the order of their ids', async () => {
    write(objects365Categories.map(({ official, id }) => ({ name: official, id })));
    const [record] = (await readSource(objects365({ annotations: file }))).records;
    assert.deepEqual(record?.image, {
      id: 900461,
      file: 'patch16/objects365_v2_00900461.jpg',
      width: 769,
      height: 512,
      dataset: 'o365',
      split: 'train',
    });
    assert.deepEqual(
      record?.detections.map(({ category }) => category),
      objects365Categories.map(({ name }) => name),
    );
    assert.deepEqual(record?.origin, { source: 'objects365', file: 'zhiyuan_objv2_train.json' });
  });

  it('reads other lists of categories with their own ids', async () => {
    write([
      { id: 7, name: ' Moniter/TV' },
      { id: 3, name: 'Flying  Saucer ' },
      { id: 1, name: 'person' },
    ]);
    const [record] = (await readSource(objects365({ annotations: file }))).records;
    assert.deepEqual(
      record?.detections.map(({ category }) => category),
      ['monitor/tv', 'flying saucer', 'person'],
    );
  });

  it('finds images at the path in the archives or at the path in the file', async () => {
    const images = join(folder, 'images');
    mkdirSync(join(images, 'patch16'), { recursive: true });
    mkdirSync(join(images, 'images', 'v2', 'patch3'), { recursive: true });
    writeFileSync(join(images, 'patch16', 'a.jpg'), '');
    writeFileSync(join(images, 'images', 'v2', 'patch3', 'b.jpg'), '');
    const fileOf = async (fileName: string) => {
      write([], fileName);
      const { records, items } = await readSource(objects365({ annotations: file, images }));
      return records[0]?.image.file ?? items[0]?.rejects?.[0]?.message;
    };
    assert.equal(await fileOf('images/v2/patch16/a.jpg'), 'patch16/a.jpg');
    assert.equal(await fileOf('patch16/a.jpg'), 'patch16/a.jpg');
    assert.equal(await fileOf('images\\v2\\patch16\\a.jpg'), 'patch16/a.jpg');
    assert.equal(await fileOf('images/v2/patch3/b.jpg'), 'images/v2/patch3/b.jpg');
    assert.equal(
      await fileOf('images/v2/patch4/c.jpg'),
      'image 900461: no file patch4/c.jpg or images/v2/patch4/c.jpg in the image folder',
    );
    assert.equal(await fileOf('plain.jpg'), 'image 900461: no file plain.jpg in the image folder');
  });

  it('takes the split from the file name unless the option is given', async () => {
    write([]);
    const splitOf = async (name: string, split?: string) => {
      const annotations = join(folder, name);
      writeFileSync(
        annotations,
        JSON.stringify({
          images: [{ id: 1, width: 5, height: 5, file_name: '1.jpg' }],
          annotations: [],
          categories: [],
        }),
      );
      return (await readSource(objects365({ annotations, ...(split && { split }) }))).records[0]?.image.split;
    };
    assert.equal(await splitOf('zhiyuan_objv2_val.json'), 'val');
    assert.equal(await splitOf('train.json'), 'train');
    assert.equal(await splitOf('trainable.json'), '');
    assert.equal(await splitOf('zhiyuan_objv2_val.json', 'train'), 'train');
  });
});
