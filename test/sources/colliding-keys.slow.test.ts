import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coco } from '../../src/sources/coco.js';
import { temporaryFolder } from '../support/folders.js';
import { readSource } from '../support/read-source.js';

const folder = temporaryFolder();
const count = 100_000;

/** Ids for which a MurmurHash3 finalizer of both halves, without a seed, is 0. */
const murmurIds = Array.from({ length: count }, (_, k) => (k + 1) * 2 ** 32 + (Math.imul(k + 1, 0x9e3779b1) >>> 0));

/** Ids that V8 puts into the same bucket of a Map or Set of numbers: its hash is inverted for hashes that end with 15 zeros. */
function v8Ids(): number[] {
  const ids = Array.from({ length: 2 ** 17 }, (_, k) => {
    let x = k << 15;
    x ^= x >>> 16;
    x = Math.imul(x, inverse(2057));
    x ^= (x >>> 4) ^ (x >>> 8) ^ (x >>> 12) ^ (x >>> 16) ^ (x >>> 20) ^ (x >>> 24) ^ (x >>> 28);
    x = Math.imul(x, inverse(5));
    x ^= (x >>> 12) ^ (x >>> 24);
    return Math.imul(x + 1, inverse(2 ** 15 - 1)) >>> 0;
  });
  return ids.sort((a, b) => a - b).slice(0, count);
}

/** Returns the number by which an odd one has the product 1 modulo 2^32. */
function inverse(odd: number): number {
  let found = odd;
  for (let k = 0; k < 5; k++) found = Math.imul(found, 2 - Math.imul(odd, found));
  return found;
}

interface Content {
  readonly images?: readonly object[];
  readonly annotations: readonly object[];
  readonly categories?: readonly object[];
}

const image = { id: 1, file_name: 'a.jpg', width: 65_000, height: 65_000 };
const category = { id: 1, name: 'cat' };

/** Reads a file and returns the number of detections. The time limit is a guard against quadratic time only. */
async function detectionsOf(content: Content): Promise<number> {
  const file = join(folder, 'instances.json');
  writeFileSync(file, JSON.stringify({ images: [image], categories: [category], ...content }));
  const start = performance.now();
  const { records } = await readSource(coco({ annotations: file }));
  assert.ok(performance.now() - start < 20_000);
  return records.reduce((sum, { detections }) => sum + detections.length, 0);
}

describe('Keys that a file chooses so that unseeded hashes collide', () => {
  it('cost no more than others as ids of images', async () => {
    const images = murmurIds.map((id) => ({ ...image, id }));
    const annotations = murmurIds.map((id, k) => ({ id: k, image_id: id, category_id: 1, bbox: [0, 0, 9, 9] }));
    assert.equal(await detectionsOf({ images, annotations }), count);
  });

  it('cost no more than others as ids of annotations and categories', async () => {
    const ids = v8Ids();
    const annotations = ids.map((id, k) => ({ id, image_id: 1, category_id: id, bbox: [0, 0, 9, (k + 1) / 2] }));
    const categories = ids.map((id) => ({ id, name: 'cat' }));
    assert.equal(await detectionsOf({ annotations, categories }), count);
  });

  it('cost no more than others as boxes', async () => {
    const sums = Array.from({ length: count }, (_, k) => [(7919 * k) / 16_384, (count - k) / 16_384, 9, 9]);
    const tiny = Array.from({ length: count }, (_, k) => [1000, k * 1e-30, 9, 9]);
    for (const boxes of [sums, tiny]) {
      const annotations = boxes.map((bbox, id) => ({ id, image_id: 1, category_id: 1, bbox }));
      assert.equal(await detectionsOf({ annotations }), count);
    }
  });

  it('cost no more than others as one box of many categories', async () => {
    const categories = Array.from({ length: count }, (_, id) => ({ id, name: `kind ${id}` }));
    const annotations = categories.map(({ id }) => ({ id, image_id: 1, category_id: id, bbox: [0, 0, 9, 9] }));
    assert.equal(await detectionsOf({ annotations, categories }), count);
  });
});
