import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageFolders } from '../../pipelines/image-folders.js';
import { coco } from '../../src/sources/coco.js';
import { temporaryFolder } from '../support/folders.js';
import { readSource } from '../support/read-source.js';

describe('image folders of a pipeline', () => {
  it('are the given one and that of the annotations', () => {
    const folder = temporaryFolder();
    assert.deepEqual(imageFolders(join(folder, 'a.json'), 'photos', false), {
      source: 'photos',
      models: ['photos', folder],
    });
    assert.deepEqual(imageFolders(join(folder, 'a.json'), folder, true), { source: folder, models: [folder] });
  });

  it('are that of the annotations if a model reads pixels and images are there', async () => {
    const folder = temporaryFolder();
    const annotations = join(folder, '*', '_annotations.coco.json');
    assert.deepEqual(imageFolders(annotations, undefined, true), {});
    for (const split of ['train', 'valid']) {
      mkdirSync(join(folder, split));
      const images = [{ id: split, file_name: '1.jpg', width: 4, height: 3 }];
      writeFileSync(
        join(folder, split, '_annotations.coco.json'),
        JSON.stringify({ images, annotations: [], categories: [] }),
      );
      writeFileSync(join(folder, split, '1.jpg'), '');
    }
    assert.deepEqual(imageFolders(annotations, undefined, false), {});
    const { source, models } = imageFolders(annotations, undefined, true);
    assert.deepEqual([source, models], [folder, [folder]]);
    const { records } = await readSource(coco({ annotations, images: source! }));
    assert.deepEqual(
      records.map(({ image: { file } }) => file),
      ['train/1.jpg', 'valid/1.jpg'],
    );
  });

  it('are those next to a folder of annotations alone', () => {
    const folder = temporaryFolder();
    for (const path of ['annotations', 'images', 'images/default']) mkdirSync(join(folder, path));
    writeFileSync(join(folder, 'images', 'default', '1.jpg'), '');
    const annotations = join(folder, 'annotations', 'instances_default.json');
    const { source, models } = imageFolders(annotations, undefined, true);
    assert.deepEqual([source, models], [folder, [folder]]);
    assert.deepEqual(imageFolders(annotations, 'photos', true).models, ['photos', join(folder, 'annotations'), folder]);
  });
});
