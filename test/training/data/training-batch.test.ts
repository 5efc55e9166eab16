import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RgbImage } from '../../../src/model/image/resize.js';
import { sceneGraphLines } from '../../../src/sources/scene-graph-lines.js';
import { visualGenome } from '../../../src/sources/visual-genome.js';
import {
  type AugmentationOptions,
  augmentImage,
  resizedImage,
  swapLeftRight,
} from '../../../src/training/data/augment-image.js';
import { AugmentedImageReader } from '../../../src/training/data/augmented-image-reader.js';
import { type BatchStreamOptions, batchStream, epochBatches } from '../../../src/training/data/batch-stream.js';
import { prefetch } from '../../../src/training/data/prefetch.js';
import { randomStream } from '../../../src/training/data/random-stream.js';
import { trainingBatch } from '../../../src/training/data/training-batch.js';
import { TrainingData } from '../../../src/training/data/training-data.js';
import type { TrainingSample } from '../../../src/training/data/training-sample.js';
import { SCENES } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';
import { collect } from '../../support/records.js';
import { smallAugmentation, smallBatches } from '../../support/small-batches.js';
import { writeTrainingScenes } from '../../support/training-scenes.js';

const { signal } = new AbortController();
const views = smallAugmentation;
const options: BatchStreamOptions = {
  ...smallBatches,
  training: true,
  reader: new AugmentedImageReader(views, { threads: 0 }),
  prefetchImages: 3,
};

const imageOf = (width: number, height: number): RgbImage => ({
  width,
  height,
  data: Uint8Array.from({ length: 3 * width * height }, (_, k) => (k * 37) % 251),
});
const sample: TrainingSample = {
  image: { id: 1, file: '1.jpg', width: 60, height: 40, dataset: 'test', split: '' },
  boxes: [
    [0, 0, 10, 20],
    [30, 10, 30, 30],
  ],
  categories: ['dog', 'horse'],
  pairs: [{ subject: 0, object: 1, predicates: ['to the left of', 'near'] }],
};

describe('augment', () => {
  it('mirrors boxes, pixels and the words left and right', () => {
    const still: AugmentationOptions = { flip: 1, colorJitter: 0, shorterSides: [40], maxSize: 100 };
    const image = imageOf(60, 40);
    const view = augmentImage(randomStream(1), image, sample, still);
    assert.deepEqual(view.sample.boxes, [
      [50, 0, 10, 20],
      [0, 10, 30, 30],
    ]);
    assert.deepEqual(view.sample.pairs[0]!.predicates, ['to the right of', 'near']);
    assert.deepEqual([...view.image.data.subarray(0, 3)], [...image.data.subarray(3 * 59, 3 * 60)]);
    assert.equal(swapLeftRight('on the left of a bright thing'), 'on the right of a bright thing');
  });

  it('resizes boxes with the image, also where the file has another size than the annotation', () => {
    const still: AugmentationOptions = { flip: 0, colorJitter: 0, shorterSides: [20, 80], maxSize: 200 };
    const plain = resizedImage(imageOf(120, 80), sample, still);
    assert.deepEqual([plain.image.width, plain.image.height], [120, 80]);
    assert.deepEqual(plain.sample.boxes[1], [60, 20, 60, 60]);
  });

  it('cuts boxes at the edge of a part, and drops what is not in it with its relations', () => {
    const cutting: AugmentationOptions = {
      flip: 0,
      colorJitter: 0,
      shorterSides: [16],
      maxSize: 99,
      crop: { probability: 1, shorterSides: [40], size: [12, 40] },
    };
    const kept = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const { image, sample: left } = augmentImage(randomStream(seed), imageOf(60, 40), sample, cutting);
      kept.add(left.categories.join());
      assert.equal(left.boxes.length, left.categories.length);
      assert.equal(left.pairs.length, left.boxes.length === 2 ? 1 : 0);
      for (const [x, y, w, h] of left.boxes) {
        assert.ok(x >= 0 && y >= 0 && w > 0 && h > 0);
        assert.ok(x + w <= image.width + 1e-6 && y + h <= image.height + 1e-6);
      }
    }
    assert.deepEqual([...kept].sort(), ['', 'dog', 'dog,horse', 'horse']);
  });

  it('changes colours within bytes, the same for the same seed', () => {
    const colourful: AugmentationOptions = { flip: 0, colorJitter: 0.4, shorterSides: [40], maxSize: 99 };
    const image = imageOf(60, 40);
    const once = augmentImage(randomStream(5), image, sample, colourful).image;
    assert.deepEqual(augmentImage(randomStream(5), image, sample, colourful).image, once);
    assert.notDeepEqual(once.data, image.data);
    const grey: RgbImage = { width: 4, height: 4, data: new Uint8Array(48).fill(100) };
    const small = { ...sample, image: { ...sample.image, width: 4, height: 4 }, boxes: [], categories: [], pairs: [] };
    const { data } = augmentImage(randomStream(6), grey, small, { ...colourful, shorterSides: [4] }).image;
    // Of one grey only the brightness can change.
    assert.equal(new Set(data).size, 1);
    assert.ok(data[0]! >= 60 && data[0]! <= 140);
  });
});

describe('trainingBatch', () => {
  const vocabulary = async () =>
    (
      await TrainingData.open(
        [{ source: sceneGraphLines({ sceneGraphs: (await scenes()).lines }), images: '' }],
        { relationThreshold: 0.2 },
        signal,
      )
    ).summary.vocabularies;

  it('lays images into one canvas, with clean targets and noisy queries', async () => {
    const plain = (width: number, height: number) => ({ image: imageOf(width, height), sample });
    const batch = trainingBatch([plain(60, 40), plain(30, 50)], { epoch: 2, position: 6 }, await vocabulary(), options);
    assert.deepEqual([batch.height, batch.width, batch.pixels.length], [50, 60, 2 * 50 * 60 * 3]);
    assert.deepEqual(batch.sizes, [
      { height: 40, width: 60 },
      { height: 50, width: 30 },
    ]);
    // Behind the edges there is nothing.
    assert.equal(batch.pixels[3 * (45 * 60)], 0);
    assert.equal(batch.pixels[3 * (50 * 60 + 40)], 0);
    assert.notEqual(batch.pixels[3 * (50 * 60 + 20)], 0);
    assert.equal(batch.labels.objects.at(-1), 'no objects');
    const [first] = batch.targets;
    assert.deepEqual(
      [...first!.subjectBoxes.subarray(0, 4)].map((v) => Math.round(v * 1e6)),
      [83333, 250000, 166667, 500000],
    );
    assert.equal(batch.labels.objects[first!.subjectLabels[0]!], 'dog');
    const relations = batch.labels.relations;
    assert.deepEqual(
      relations.filter((_, k) => first!.relations[k] === 1),
      ['to the left of', 'near'],
    );
    // The other way round is a true negative.
    assert.equal(first!.subjectLabels.length, 2);
    assert.ok(first!.relations.subarray(relations.length).every((value) => value === 0));
    assert.deepEqual([batch.pairs, batch.positives, batch.slots], [4, 2, 2]);
    assert.notDeepEqual(batch.noisy[0]!.subjectBoxes, first!.subjectBoxes);
    assert.ok(batch.attentionMask);
    const evaluated = trainingBatch([plain(60, 40)], { epoch: 0, position: 0 }, await vocabulary(), {
      ...options,
      noise: null,
    });
    assert.equal(evaluated.noisy, evaluated.targets);
    assert.equal(evaluated.attentionMask, null);
  });

  it('puts pairs in random order, so that a place tells nothing', async () => {
    const many: TrainingSample = {
      ...sample,
      boxes: Array.from({ length: 6 }, (_, k) => [k, k, 9, 9] as const),
      categories: Array.from({ length: 6 }, () => 'dog'),
      pairs: [{ subject: 0, object: 1, predicates: ['near'] }],
    };
    const firsts = new Set<number>();
    for (let position = 0; position < 20; position++) {
      const mixed = { ...options, compat: { ...smallBatches.compat, positivePairsFirst: false } };
      const view = { image: imageOf(60, 40), sample: many };
      const { targets } = trainingBatch([view], { epoch: 0, position }, await vocabulary(), mixed);
      const width = targets[0]!.relations.length / targets[0]!.subjectLabels.length;
      const held = targets[0]!.relations.indexOf(1);
      firsts.add(Math.floor(held / width));
    }
    assert.ok(firsts.size > 5, `${[...firsts]}`);
  });

  it('says relations in other words, and what holds stays', async () => {
    const view = { image: imageOf(60, 40), sample };
    const of = { near: ['close to', 'to the left of'], 'to the left of': [] };
    const said = new Set<string>();
    const plain = trainingBatch([view], { epoch: 0, position: 0 }, await vocabulary(), options);
    for (let position = 0; position < 20; position++) {
      const batch = trainingBatch([view], { epoch: 0, position }, await vocabulary(), {
        ...options,
        paraphrases: { probability: 0.5, phrases: of },
      });
      const [left, near] = batch.labels.relations;
      assert.equal(left, 'to the left of');
      said.add(near!);
      assert.deepEqual(batch.targets[0]!.relations, plain.targets[0]!.relations);
    }
    assert.deepEqual([...said].sort(), ['close to', 'near']);
  });

  it('keeps the official quirks where they are asked for', async () => {
    const view = { image: imageOf(60, 40), sample };
    const quirks = {
      ...options,
      noise: { label: 1, box: 0 },
      compat: { leakMaskForFullBatchesOnly: true, labelNoiseWithinBatchSize: true, positivePairsFirst: true },
    };
    const batch = trainingBatch([view, view], { epoch: 0, position: 0 }, await vocabulary(), quirks);
    assert.equal(batch.attentionMask, null);
    assert.ok(batch.noisy.every(({ subjectLabels }) => subjectLabels.every((label) => label < 2)));
    const full = trainingBatch([view], { epoch: 0, position: 0 }, await vocabulary(), { ...quirks, maxPairs: 2 });
    assert.ok(full.attentionMask);
  });

  it('takes 300 objects, one label, and images without any pair', async () => {
    const boxes = Array.from({ length: 300 }, (_, k) => [k % 20, k % 30, 5, 5] as const);
    const crowd: TrainingSample = {
      ...sample,
      boxes,
      categories: boxes.map(() => 'person'),
      pairs: [{ subject: 299, object: 0, predicates: ['near'] }],
    };
    const alone: TrainingSample = { ...sample, boxes: [[1, 1, 5, 5]], categories: ['person'], pairs: [] };
    const image = imageOf(60, 40);
    const batch = trainingBatch(
      [
        { image, sample: crowd },
        { image, sample: alone },
      ],
      { epoch: 0, position: 0 },
      await vocabulary(),
      { ...options, maxPairs: 100, labels: { objects: 0, relations: 0 } },
    );
    assert.deepEqual([batch.pairs, batch.positives, batch.slots], [100, 1, 100]);
    assert.deepEqual(batch.labels, { objects: ['person', 'no objects'], relations: ['near'] });
    assert.equal(batch.targets[1]!.subjectLabels.length, 0);
    for (const group of batch.noisy) assert.ok(group.subjectBoxes.every(Number.isFinite));
  });
});

let made: Promise<{ lines: string; images: string }> | undefined;
const scenes = () => {
  made ??= writeTrainingScenes(temporaryFolder(), 11);
  return made;
};

describe('TrainingData and batches', function () {
  this.timeout(60_000);
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

  it('counts what there is, and mixes sets in proportion', async () => {
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
    const order = await collect(data.epoch({ seed: 1, epoch: 0, skip: 0, buffer: 1 }, signal));
    const small = order.map((item) => item.images === images);
    for (let end = 5; end <= 35; end += 5) {
      const share = small.slice(0, end).filter(Boolean).length;
      assert.ok(Math.abs(share - (11 / 35) * end) <= 1, `${share} of the first ${end}`);
    }
  });

  it('goes on from any position as if it had never stopped, and epochs differ', async () => {
    const data = await open();
    const whole = await take(batchStream(data, options, { epoch: 0, position: 0 }, signal), 6);
    assert.deepEqual(
      whole.map(({ batch: { epoch, position } }) => [epoch, position]),
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
      const rest = await take(batchStream(data, options, whole[k - 1]!.next, signal), 2);
      assert.deepEqual(rest[0], whole[k]);
    }
    const ids = (from: number) => whole.slice(from, from + 3).flatMap(({ batch }) => batch.images.map(({ id }) => id));
    assert.equal(new Set(ids(0)).size, 9);
    assert.notDeepEqual(ids(0), ids(3));
  });

  it('tells of images that can not be read and goes on with others', async () => {
    const folder = temporaryFolder();
    const { lines: sceneGraphs, images: lost } = await writeTrainingScenes(folder, 7);
    rmSync(join(lost, '1100003.jpg'));
    writeFileSync(join(lost, '1100005.jpg'), 'no image');
    const data = await TrainingData.open(
      [{ source: sceneGraphLines({ sceneGraphs }), images: lost }],
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
    await assert.rejects(none.next(), { code: 'no-data', message: /no batch of 6 images can be filled, 7 are there/ });
  });

  it('refuses sets of which nothing can be learnt, by reason', async () => {
    const empty = { name: 'none', version: '1', options: {}, adds: [], files: async () => [], async *read() {} };
    await assert.rejects(TrainingData.open([{ source: empty, images: '' }], { relationThreshold: 0.2 }, signal), {
      code: 'no-data',
      message: 'training: no image to learn from (the sets are empty)',
    });
  });

  it('gives the same batches whatever is read ahead', async () => {
    const data = await open();
    const at = { epoch: 0, position: 0 };
    const whole = await take(batchStream(data, options, at, signal), 5);
    for (const ahead of [0, 1, 20])
      assert.deepEqual(await take(batchStream(data, { ...options, prefetchImages: ahead }, at, signal), 5), whole);
  });
});

describe('prefetch', () => {
  const doubled = async (item: number) => 2 * item;

  it('passes results on in order, and an error in its place', async () => {
    async function* three() {
      yield 1;
      yield 2;
      throw new Error('third');
    }
    const seen: number[] = [];
    await assert.rejects(async () => {
      for await (const item of prefetch(three(), 2, doubled)) seen.push(item);
    }, /third/);
    assert.deepEqual(seen, [2, 4]);
  });

  it('begins with no more than it was told, and ends what it began', async () => {
    let ended = 0;
    async function* endless() {
      try {
        for (let k = 0; ; k++) yield k;
      } finally {
        ended++;
      }
    }
    const [begun, done] = [[] as number[], [] as number[]];
    const work = async (item: number) => {
      begun.push(item);
      await new Promise((resolve) => setTimeout(resolve, 10 - item));
      done.push(item);
      return item;
    };
    const items = prefetch(endless(), 3, work);
    assert.deepEqual(await items.next(), { done: false, value: 0 });
    assert.deepEqual(begun, [0, 1, 2, 3]);
    await items.return();
    assert.deepEqual([done.toSorted(), ended], [[0, 1, 2, 3], 1]);
  });
});
