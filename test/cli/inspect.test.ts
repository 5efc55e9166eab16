import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

const images = [
  [7, 'train/000000000007.jpg'],
  [139, 'train/dog.jpg'],
  [140, 'valid/dog.jpg'],
  ['beach', 'photos/Sunny Day.png'],
  [500, '12.jpg'],
  [12, 'other.jpg'],
  [9, 'data:image/png;base64,AAAA'],
] as const;

describe('relflow inspect', () => {
  const folder = temporaryFolder();
  const out = join(folder, 'out');
  const inspect = (name: string) => relflow(['inspect', name, out]);

  before(async () => {
    const [annotations, captions] = [join(folder, 'instances.json'), join(folder, 'captions.json')];
    const set = {
      images: images.map(([id, file_name]) => ({ id, file_name, width: 640, height: 480 })),
      annotations: images.flatMap(([image_id], at) => [
        { id: 2 * at, image_id, category_id: 1, bbox: [100, 50, 80, 200] },
        { id: 2 * at + 1, image_id, category_id: 2, bbox: [80, 150, 200, 250] },
      ]),
      categories: ['person', 'horse'].map((name, k) => ({ id: k + 1, name })),
    };
    writeFileSync(annotations, JSON.stringify(set));
    writeFileSync(captions, JSON.stringify(Object.fromEntries(images.map(([id]) => [id, ['a man riding a horse']]))));
    const { code, stderr } = await relflow([
      ...['run', 'coco', '--annotations', annotations, '--captions', captions, '--parser', 'rules', '--out', out],
    ]);
    assert.equal(code, 0, stderr);
  });

  const found = {
    '7': 7,
    '7.0': 7,
    ' 7 ': 7,
    '0007': 7,
    '000000000007': 7,
    'COCO_train2014_000000000007.jpg': 7,
    'train/000000000007.jpg': 7,
    '/data/train/000000000007.jpg': 7,
    'train/dog.jpg': 139,
    'valid\\dog': 140,
    beach: 'beach',
    'sunny day.PNG': 'beach',
    'Sunny Day': 'beach',
    '12': 12,
    '12.jpg': 500,
    'coco2017/140': 140,
  };
  for (const [name, id] of Object.entries(found))
    it(`finds '${name}'`, async () => {
      const { code, stdout, stderr } = await inspect(name);
      assert.equal(code, 0, stderr);
      assert.match(stdout, new RegExp(`^image ${id}: 2 objects`));
    });

  it('says which images a name fits', async () => {
    const { code, stderr } = await inspect('dog.jpg');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /: 2 images fit 'dog\.jpg': 139 \(train\/dog\.jpg\) and 140 \(valid\/dog\.jpg\); name one of them\n$/,
    );
  });

  it('names ids and files of the input when no image fits', async () => {
    const { code, stderr } = await inspect('cat.jpg');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /no image 'cat\.jpg' in its sources, which have 6 images, such as 7 \(train\/000000000007\.jpg\) and 139 \(train\/dog\.jpg\); give an id or a file name\n$/,
    );
  });

  it('says why an image is rejected', async () => {
    const { code, stdout } = await inspect('9.0');
    assert.equal(code, 0);
    assert.match(stdout, /rejected by .* \(unsafe-path\): /);
  });
});
