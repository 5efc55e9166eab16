import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { ImageFiles } from '../../src/captioners/image-files.js';
import { checkResizeOptions, resizeForModel } from '../../src/captioners/resize-for-model.js';
import { readImage } from '../../src/model/image/read-image.js';
import type { Image } from '../../src/records/image.js';
import { temporaryFolder } from '../support/folders.js';

const imageOf = (file: string, width: number, height: number): Image => {
  return { id: 1, file, width, height, dataset: 'test', split: '' };
};

describe('the image that a captioner sends', () => {
  it('is the picture that a tagger reads: upright, or as stored if only that has the annotated proportions', async () => {
    const folder = temporaryFolder();
    // Red left of blue.
    const data = Buffer.from(
      Array.from({ length: 60 * 40 }, (_, k) => (k % 60 < 30 ? [255, 0, 0] : [0, 0, 255])).flat(),
    );
    await sharp(data, { raw: { width: 60, height: 40, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .png()
      .toFile(join(folder, 'a.png'));
    for (const [width, height] of [
      [40, 60],
      [60, 40],
      [50, 50],
    ] as const) {
      const image = imageOf('a.png', width, height);
      const file = await new ImageFiles('test', folder).read(image);
      const sent = await resizeForModel('test', file, image, checkResizeOptions('test', { side: 500, quality: 100 }));
      const { data: pixels, info } = await sharp(sent.bytes).raw().toBuffer({ resolveWithObject: true });
      assert.equal((await sharp(sent.bytes).metadata()).orientation, undefined);
      const upright = width !== 60;
      assert.deepEqual([info.width, info.height], upright ? [40, 60] : [60, 40]);
      if (width === height) continue;
      const read = await readImage(join(folder, 'a.png'), { annotated: image });
      assert.deepEqual([read.width, read.height], [info.width, info.height]);
      for (const at of [0, info.width * 3 - 3, pixels.length - 3])
        assert.ok(Math.abs(pixels[at]! - read.data[at]!) < 8, `${at}`);
    }
  });

  it('is read from the first of several folders that has it', async () => {
    const [first, second] = [temporaryFolder(), temporaryFolder()];
    writeFileSync(join(first, 'a.jpg'), 'first');
    writeFileSync(join(second, 'a.jpg'), 'second');
    writeFileSync(join(second, 'b.jpg'), 'second');
    const files = new ImageFiles('test', [first, second]);
    const textOf = async (file: string) => (await files.read(imageOf(file, 1, 1))).bytes.toString();
    assert.deepEqual([await textOf('a.jpg'), await textOf('b.jpg')], ['first', 'second']);
    await assert.rejects(textOf('c.jpg'), { reason: 'image-missing' });
  });
});
