import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageSource } from '../../../src/files/image-stores/find-image-file.js';
import { ImagePreparer } from '../../../src/model/image/image-preparer.js';
import { SCENES } from '../../support/command.js';

describe('ImagePreparer', () => {
  it('gives the same pixels and errors in threads as without, for files and for images of a store', async () => {
    const path = join(SCENES, 'images', '100001.jpg');
    const content = readFileSync(path);
    const stored = (bytes: Buffer): ImageSource => ({
      name: 'shard.tar/100001.jpg',
      tag: '',
      bytes: bytes.length,
      read: async () => bytes,
      readStart: async (count) => bytes.subarray(0, count),
    });
    const of = (file: ImageSource) => ({ file, size: { shorter: 60, longest: 100 }, reading: {} });
    const [alone, threads] = [new ImagePreparer(0), new ImagePreparer(1)];
    const expected = await alone.prepare(of(path));
    assert.equal(expected.pixels.length, expected.height * expected.width * 3);
    for (const file of [path, stored(content)]) assert.deepEqual(await threads.prepare(of(file)), expected);
    for (const file of ['lost.jpg', stored(content.subarray(0, 300))]) {
      const errors = await Promise.all(
        [alone, threads].map((preparer) => preparer.prepare(of(file)).catch((error: unknown) => error as Error)),
      );
      assert.ok(errors[0] instanceof Error);
      assert.deepEqual({ ...errors[1] }, { ...errors[0] });
      assert.equal((errors[1] as Error).message, errors[0].message);
    }
    await threads.close();
  });
});
