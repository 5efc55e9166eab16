import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sceneGraphLines } from '../../../src/sources/scene-graph-lines.js';
import { visualGenome } from '../../../src/sources/visual-genome.js';
import { AugmentedImageReader } from '../../../src/training/data/augmented-image-reader.js';
import { type BatchStreamOptions, batchStream, epochBatches } from '../../../src/training/data/batch-stream.js';
import { TrainingData } from '../../../src/training/data/training-data.js';
import { SCENES } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';
import { collect } from '../../support/records.js';
import { smallAugmentation, smallBatches } from '../../support/small-batches.js';
import { writeTrainingScenes } from '../../support/training-scenes.js';

const { signal } = new AbortController();
const options: BatchStreamOptions = {
  ...smallBatches,
  training: true,
  reader: new AugmentedImageReader(smallAugmentation, { threads: 0 }),
  prefetchImages: 3,
};

let made: Promise<{ lines: string; images: string }> | undefined;
const scenes = () => {
  made ??= writeTrainingScenes(temporaryFolder(), 11);
  return made;
};

describe('TrainingData and batchStream', () => {
  const open = async () => {
    const { lines, images } = await scenes();
    return TrainingData.open(
      [{ source: sceneGraphLines({ sceneGraphs: lines }), images }],
      { relationThreshold: 0.2 },
      signal,
    );
  };
  const take = async <T>(items: AsyncGenerator<T>, count: number): Promise<T[]> => {
    const all: T[] = [];
    for await (const item of items) if (all.push(item) === count) break;
    return all;
  };

  it('counts images and names, and interleaves sets in proportion to their sizes', async () => {
    const { lines, images } = await scenes();
    const genome = join(SCENES, 'visual-genome');
    const data = await TrainingData.open(
      [
        { source: sceneGraphLines({ sceneGraphs: lines }), images },
        {
          source: visualGenome({
            sceneGraphs: join(genome, 'scene_graphs.json'),
            imageData: join(genome, 'image_data.json'),
          }),
          images: join(SCENES, 'images'),
        },
      ],
      { relationThreshold: 0.2 },
      signal,
    );
    assert.deepEqual(data.summary.sizes, [11, 24]);
    assert.equal(data.summary.total, 35);
    assert.ok(data.summary.relations.get('near')! > 5);
    const order = await collect(data.epoch({ seed: 1, epoch: 0, skip: 0, shuffleBuffer: 1 }, signal));
    const small = order.map((item) => item.images === images);
    for (let end = 5; end <= 35; end += 5) {
      const share = small.slice(0, end).filter(Boolean).length;
      assert.ok(Math.abs(share - (11 / 35) * end) <= 1, `${share} of the first ${end}`);
    }
  });

  it('yields the same batches from any position on, and another order in each epoch', async () => {
    const data = await open();
    const all = await take(batchStream(data, options, { epoch: 0, position: 0 }, signal), 6);
    assert.deepEqual(
      all.map(({ batch: { epoch, position } }) => [epoch, position]),
      [
        [0, 0],
        [0, 3],
        [0, 6],
        [1, 0],
        [1, 3],
        [1, 6],
      ],
    );
    for (const k of [1, 2, 4]) {
      const rest = await take(batchStream(data, options, all[k - 1]!.next, signal), 2);
      assert.deepEqual(rest[0], all[k]);
    }
    const ids = (from: number) => all.slice(from, from + 3).flatMap(({ batch }) => batch.images.map(({ id }) => id));
    assert.equal(new Set(ids(0)).size, 9);
    assert.notDeepEqual(ids(0), ids(3));
  });

  it('reports images that cannot be read, and fills batches with other images', async () => {
    const folder = temporaryFolder();
    const { lines: sceneGraphs, images: damaged } = await writeTrainingScenes(folder, 7);
    rmSync(join(damaged, '1100003.jpg'));
    writeFileSync(join(damaged, '1100005.jpg'), 'no image');
    const data = await TrainingData.open(
      [{ source: sceneGraphLines({ sceneGraphs }), images: damaged }],
      { relationThreshold: 0.2 },
      signal,
    );
    const evaluation = await collect(
      epochBatches(data, { ...options, training: false, noise: null }, { epoch: 0, position: 0 }, signal),
    );
    assert.deepEqual(
      evaluation.map(({ batch }) => batch.images.length),
      [3, 2],
    );
    assert.deepEqual(evaluation.flatMap(({ rejects }) => rejects.map(({ reason }) => reason)).sort(), [
      'image-missing',
      'image-unreadable',
    ]);
    const none = batchStream(data, { ...options, batchSize: 6 }, { epoch: 0, position: 0 }, signal);
    await assert.rejects(none.next(), {
      code: 'no-data',
      message:
        /^training: no batch of 6 images can be filled: 2 of 7 images are refused: 1 image-missing \([^;]*\), 1 image-unreadable \([^;]*\); the first: .*11000/,
    });
  });

  it('refuses sets without a usable image, and says why', async () => {
    const empty = { name: 'none', version: '1', options: {}, adds: [], files: async () => [], async *read() {} };
    await assert.rejects(TrainingData.open([{ source: empty, images: '' }], { relationThreshold: 0.2 }, signal), {
      code: 'no-data',
      message: 'training: no image to train on: the sets are empty',
    });
  });

  it('yields the same batches with any number of images read ahead', async () => {
    const data = await open();
    const at = { epoch: 0, position: 0 };
    const all = await take(batchStream(data, options, at, signal), 5);
    for (const prefetchImages of [0, 1, 20])
      assert.deepEqual(await take(batchStream(data, { ...options, prefetchImages }, at, signal), 5), all);
  });
});
