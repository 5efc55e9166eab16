import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { sceneGraphLines } from '../../../src/sources/scene-graph-lines.js';
import type { AugmentationOptions } from '../../../src/training/data/augment-image.js';
import {
  AugmentedImageReader,
  type AugmentedImageReaderOptions,
} from '../../../src/training/data/augmented-image-reader.js';
import { type BatchStreamOptions, batchStream, epochBatches } from '../../../src/training/data/batch-stream.js';
import { TrainingData } from '../../../src/training/data/training-data.js';
import type { TrainingSample } from '../../../src/training/data/training-sample.js';
import { temporaryFolder } from '../../support/folders.js';
import { smallAugmentation, smallBatches } from '../../support/small-batches.js';
import { countThreads } from '../../support/threads.js';
import { writeTrainingScenes } from '../../support/training-scenes.js';

const augmentation: AugmentationOptions = { ...smallAugmentation, decodedShorterSide: 72 };
const { signal } = new AbortController();

describe('AugmentedImageReader', () => {
  // Threads load the TypeScript sources through tsx, which is slow.
  const folder = temporaryFolder();
  let images: string;
  let scenesFile: string;
  let data: TrainingData;
  before(async () => {
    const scenes = await writeTrainingScenes(folder, 11);
    images = scenes.images;
    scenesFile = scenes.lines;
    const source = sceneGraphLines({ sceneGraphs: scenes.lines });
    data = await TrainingData.open([{ source, images }], { relationThreshold: 0.2 }, signal);
  });

  const batchesWith = async (reader: AugmentedImageReader, training: boolean, from = data) => {
    const options: BatchStreamOptions = { ...smallBatches, training, reader, prefetchImages: 6 };
    const all = [];
    const stream = (training ? batchStream : epochBatches)(from, options, { epoch: 0, position: 0 }, signal);
    for await (const item of stream) if (all.push(item) === 5) break;
    return all;
  };
  const withReader = async <T>(
    readerOptions: AugmentedImageReaderOptions,
    work: (reader: AugmentedImageReader) => Promise<T>,
    options: AugmentationOptions = augmentation,
  ): Promise<T> => {
    const reader = new AugmentedImageReader(options, readerOptions);
    try {
      return await work(reader);
    } finally {
      await reader.close();
    }
  };

  it('gives the same batches with any number of threads and any size of the cache', async () => {
    const batches = (options: AugmentedImageReaderOptions) =>
      withReader(options, async (reader) => [await batchesWith(reader, true), await batchesWith(reader, false)]);
    const alone = await batches({ threads: 0 });
    assert.deepEqual(
      alone.map(({ length }) => length),
      [5, 4],
    );
    // A thread starts slowly, so that threads meet only some sizes of the cache.
    const [small, large] = [60_000, 1e9];
    for (const [threads, cacheBytes] of [
      [0, 0],
      [0, small],
      [0, large],
      [1, small],
      [3, large],
    ] as const)
      assert.deepEqual(await batches({ threads, cacheBytes }), alone, `${threads} ${cacheBytes}`);
  });

  it('gives the same batches from tar shards as from the folder, in threads, too', async () => {
    const shards = join(folder, 'shards');
    mkdirSync(shards);
    execFileSync('tar', ['-cf', join(shards, '0.tar'), '-C', images, '.']);
    const source = sceneGraphLines({ sceneGraphs: scenesFile });
    const fromShards = await TrainingData.open([{ source, images: shards }], { relationThreshold: 0.2 }, signal);
    const alone = await withReader({ threads: 0 }, (reader) => batchesWith(reader, true));
    for (const threads of [0, 1])
      assert.deepEqual(await withReader({ threads }, (reader) => batchesWith(reader, true, fromShards)), alone);
  });

  it('ends its threads', async () => {
    const { started, left } = await countThreads(() =>
      withReader({ threads: 2 }, (reader) => batchesWith(reader, true)),
    );
    assert.deepEqual([started, left], [2, 0]);
  });

  const sampleOf = (file: string, height = 72): TrainingSample => ({
    image: { id: file, file, width: 96, height, dataset: 'test', split: '' },
    boxes: [[0, 0, 10, 10]],
    categories: ['dog'],
    pairs: [],
  });
  const randomness = { seed: 1, epoch: 0, position: 0 };
  const read = (reader: AugmentedImageReader, path: string, sample = sampleOf(path)) =>
    reader.read({ path, sample, randomness });

  it('rejects images that are missing or unreadable, in a thread too', async () => {
    const broken = join(folder, 'broken.jpg');
    writeFileSync(broken, 'no image');
    const missing = join(folder, 'missing.jpg');
    const good = join(images, '1100001.jpg');
    const results = (threads: number) =>
      withReader({ threads }, (reader) => Promise.all([broken, missing, good].map((path) => read(reader, path))));
    const alone = await results(0);
    assert.deepEqual(
      alone.map((result) => ('reject' in result ? result.reject.reason : 'read')),
      ['image-unreadable', 'image-missing', 'read'],
    );
    assert.ok('reject' in alone[0]! && alone[0].reject.message.startsWith(`${broken} is not an image that is read`));
    assert.deepEqual(await results(1), alone);
  });

  it('rejects images that are not in proportion to the annotated size, except in compat mode', async () => {
    const path = join(images, '1100001.jpg');
    const readWith = (options: AugmentationOptions) =>
      withReader({ threads: 0 }, (reader) => reader.read({ path, sample: sampleOf(path, 96), randomness }), options);
    const result = await readWith(augmentation);
    assert.equal('reject' in result && result.reject.reason, 'image-size-differs');
    assert.ok('augmentedImage' in (await readWith({ ...augmentation, compat: true })));
  });

  for (const threads of [0, 1])
    it(`caches decoded images up to its limit, with ${threads} threads`, async () => {
      const other = temporaryFolder();
      await writeTrainingScenes(other, 2);
      const [first, second] = ['1100001.jpg', '1100002.jpg'].map((file) => join(other, 'images', file));
      const cacheBytes = 3 * 72 * 100;
      await withReader(
        { threads, cacheBytes },
        async (reader) => {
          const { width, height } = await sharp(second!).metadata();
          const secondSample = { ...sampleOf(second!), image: { ...sampleOf(second!).image, width, height } };
          const augmented = await read(reader, first!);
          assert.ok('augmentedImage' in (await read(reader, second!, secondSample)));
          rmSync(first!);
          rmSync(second!);
          assert.deepEqual(await read(reader, first!), augmented);
          const gone = await read(reader, second!, secondSample);
          assert.equal('reject' in gone && gone.reject.reason, 'image-missing');
        },
        { ...augmentation, maxSize: 100 },
      );
    });

  it('returns images that no augmentation changed', async () => {
    const unchanged: AugmentationOptions = {
      decodedShorterSide: 64,
      flip: 0,
      colorJitter: 0,
      shorterSides: [64],
      maxSize: 96,
    };
    const path = join(images, '1100001.jpg');
    const twice = (threads: number) =>
      withReader(
        { threads, cacheBytes: 1e6 },
        async (reader) => [await read(reader, path), await read(reader, path)],
        unchanged,
      );
    const [one, other] = await twice(1);
    assert.deepEqual(one, other);
    assert.deepEqual([one, other], await twice(0));
  });

  it('refuses a negative or fractional number of threads', () => {
    for (const threads of [-1, 1.5])
      assert.throws(() => new AugmentedImageReader(augmentation, { threads }), {
        code: 'bad-option',
        message: `training: readers ${threads}, expected a whole number of at least 1`,
      });
  });
});
