import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../../src/records/random.js';
import { FewShot } from '../../../src/training/data/few-shot.js';
import { ImageList } from '../../../src/training/data/image-list.js';
import type { TrainingSample } from '../../../src/training/data/training-sample.js';
import { temporaryFolder } from '../../support/folders.js';

const sample = (id: number, categories: readonly string[], predicates: readonly string[]): TrainingSample => ({
  image: { id, file: `train2015/HICO_${id}.jpg`, width: 10, height: 10, dataset: 'hico', split: 'train' },
  boxes: categories.map(() => [0, 0, 1, 1]),
  categories,
  pairs: predicates.map((predicate) => ({ subject: 0, object: 0, predicates: [predicate] })),
});

/** 200 images; predicate p0 is in the first alone, p1 three times in the second and once in each of 2 others. */
function data(): FewShot {
  const few = new FewShot();
  for (let id = 0; id < 200; id++) {
    const predicates = id === 0 ? ['p0', 'p2'] : id === 1 ? ['p1', 'p1', 'p1'] : id < 4 ? ['p1'] : [];
    few.add(id % 2, Math.floor(id / 2), sample(id, ['person', ...(id % 10 === 3 ? ['cup'] : [])], predicates));
  }
  return few;
}

const total = (sets: readonly ReadonlyMap<number, number>[]) =>
  sets.reduce((sum, set) => sum + [...set.values()].reduce((a, b) => a + b, 0), 0);

describe('a few-shot part', () => {
  it('has the share of the images, rounded down, and an image as often as it was drawn for a predicate', () => {
    for (let seed = 0; seed < 20; seed++) {
      const sets = data().choose(new Random(seed), 0.0999, 2);
      assert.equal(total(sets), 19);
      // Image 0 has both p0 and p2, so that it is drawn for each of them.
      assert.equal(sets[0]!.get(0), 2);
      assert.ok([...sets[0]!.keys(), ...sets[1]!.keys()].length === 18);
    }
    assert.equal(total(data().choose(new Random(1), 0.29, 2)), 58);
  });

  it('draws an image with a predicate several times as much more often, and every category occurs', () => {
    let second = 0;
    for (let seed = 0; seed < 300; seed++) {
      const sets = data().choose(new Random(seed), 0.02, 2);
      const images = sets.flatMap((set, k) => [...set.keys()].map((position) => 2 * position + k));
      assert.ok(images.some((id) => id % 10 === 3));
      if (images.includes(1)) second++;
    }
    // 3 of the 5 relations with p1 are in image 1; where it has the only place left, the category must come from images 3.
    assert.ok(second > 60 && second < 300, String(second));
  });

  it('that is too small is refused', () => {
    assert.throws(() => data().choose(new Random(1), 0.01, 2), {
      message: /^training: \/fewShot 0.01: 2 of 200 images/,
    });
  });
});

describe('a list of images', () => {
  const folder = temporaryFolder();
  const listed = async (text: string, ids: readonly number[]) => {
    const file = join(folder, 'list');
    writeFileSync(file, text);
    const list = await ImageList.read(file);
    for (const id of ids) list.add(0, id, sample(id, [], []));
    return [...list.choose(1)[0]!];
  };

  it('names images by file, base name or id, some several times', async () => {
    const expected = [
      [2, 2],
      [5, 1],
    ];
    assert.deepEqual(await listed('HICO_2.jpg\ntrain2015/HICO_5.jpg\r\nHICO_2.jpg\n', [1, 2, 5]), expected);
    assert.deepEqual(await listed('["HICO_2.jpg", 5, 2]', [1, 2, 5]), expected);
  });

  it('that is empty, damaged or names an image that the data has not is refused by name', async () => {
    await assert.rejects(listed('\n', [1]), { message: /is empty, expected a list of images/ });
    await assert.rejects(listed('[{}]', [1]), { message: /has other values than texts and numbers/ });
    await assert.rejects(listed('HICO_1.jpg\nx.jpg\ny.jpg', [1]), {
      message: /lists 'x\.jpg' and 1 others, expected usable images of the data/,
    });
    await assert.rejects(ImageList.read(join(folder, 'none')), { code: 'bad-input' });
  });
});
