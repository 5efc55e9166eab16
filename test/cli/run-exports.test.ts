import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

describe('relflow run --export', () => {
  it('says what a format could not carry, and shows the images of the run on a page', async () => {
    const folder = temporaryFolder();
    const [annotations, captions] = [join(folder, 'boxes.json'), join(folder, 'captions.json')];
    const [images, out] = [join(folder, 'images'), join(folder, 'out')];
    mkdirSync(images);
    await sharp({ create: { width: 100, height: 100, channels: 3, background: 'red' } })
      .avif()
      .toFile(join(images, '1.avif'));
    writeFileSync(join(images, '2.jpg'), '<html>404</html>');
    const size = { width: 100, height: 100 };
    const boxes = { image_id: 1, iscrowd: 0 };
    writeFileSync(
      annotations,
      JSON.stringify({
        images: [
          { id: 1, file_name: '1.avif', ...size },
          { id: 2, file_name: '2.jpg', ...size },
        ],
        annotations: [
          { id: 1, category_id: 1, bbox: [10, 10, 40, 60], ...boxes },
          { id: 2, category_id: 2, bbox: [10, 40, 50, 50], ...boxes },
        ],
        categories: [
          { id: 1, name: 'dog' },
          { id: 2, name: 'horse' },
        ],
      }),
    );
    writeFileSync(captions, JSON.stringify({ 1: ['a dog riding a horse'], 2: ['a dog'] }));
    const run = ['run', 'coco', '--annotations', annotations, '--captions', captions, '--images', images, '--out', out];
    const { code, stderr } = await relflow([...run, '--export', 'hico,page', '--quiet']);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /hico\.json: 1 relations whose subject is not a person were dropped, such as 'dog riding'/);
    assert.match(stderr, /page\.html: 1 images of the page have boxes without the picture, .* such as 2\.jpg/);
    assert.match(readFileSync(join(out, 'page.html'), 'utf8'), /<image href="data:image\/avif;/);
    const { stdout } = await relflow(['resume', out, '--json']);
    const { exports } = JSON.parse(stdout) as { exports: { path: string; notes: Record<string, { count: number }> }[] };
    assert.deepEqual(
      exports.map(({ path, notes }) => [path, Object.keys(notes)]),
      [
        ['hico.json', ['subject-not-person']],
        ['page.html', ['image-not-shown']],
      ],
    );
    assert.equal((await relflow(['validate', out])).code, 0);
  });
});
