import assert from 'node:assert/strict';
import { sceneGraphLines } from '../../../src/sources/scene-graph-lines.js';
import { AugmentedImageReader } from '../../../src/training/data/augmented-image-reader.js';
import type { BatchStreamOptions } from '../../../src/training/data/batch-stream.js';
import { trainingBatch } from '../../../src/training/data/training-batch.js';
import { TrainingData } from '../../../src/training/data/training-data.js';
import type { TrainingSample } from '../../../src/training/data/training-sample.js';
import { imageOf, sample } from '../../support/augmentation-sample.js';
import { temporaryFolder } from '../../support/folders.js';
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

describe('trainingBatch', () => {
  const vocabulary = async () =>
    (
      await TrainingData.open(
        [{ source: sceneGraphLines({ sceneGraphs: (await scenes()).lines }), images: '' }],
        { relationThreshold: 0.2 },
        signal,
      )
    ).summary.vocabularies;

  it('pads images to one size, with clean targets and noisy queries', async () => {
    const plain = (width: number, height: number) => ({ image: imageOf(width, height), sample });
    const batch = trainingBatch([plain(60, 40), plain(30, 50)], { epoch: 2, position: 6 }, await vocabulary(), options);
    assert.deepEqual([batch.height, batch.width, batch.pixels.length], [50, 60, 2 * 50 * 60 * 3]);
    assert.deepEqual(batch.sizes, [
      { height: 40, width: 60 },
      { height: 50, width: 30 },
    ]);
    // The padding is zero.
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
    // The reversed pair is a true negative.
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

  it('shuffles pairs, so that the position of a pair reveals nothing', async () => {
    const many: TrainingSample = {
      ...sample,
      boxes: Array.from({ length: 6 }, (_, k) => [k, k, 9, 9] as const),
      categories: Array.from({ length: 6 }, () => 'dog'),
      pairs: [{ subject: 0, object: 1, predicates: ['near'] }],
    };
    const positions = new Set<number>();
    for (let position = 0; position < 20; position++) {
      const shuffled = { ...options, compat: { ...smallBatches.compat, positivePairsFirst: false } };
      const augmented = { image: imageOf(60, 40), sample: many };
      const { targets } = trainingBatch([augmented], { epoch: 0, position }, await vocabulary(), shuffled);
      const width = targets[0]!.relations.length / targets[0]!.subjectLabels.length;
      const positive = targets[0]!.relations.indexOf(1);
      positions.add(Math.floor(positive / width));
    }
    assert.ok(positions.size > 5, `${[...positions]}`);
  });

  it('paraphrases predicates without changing the targets', async () => {
    const augmented = { image: imageOf(60, 40), sample };
    const phrases = { near: ['close to', 'to the left of'], 'to the left of': [] };
    const used = new Set<string>();
    const plain = trainingBatch([augmented], { epoch: 0, position: 0 }, await vocabulary(), options);
    for (let position = 0; position < 20; position++) {
      const batch = trainingBatch([augmented], { epoch: 0, position }, await vocabulary(), {
        ...options,
        paraphrases: { probability: 0.5, phrases },
      });
      const [left, near] = batch.labels.relations;
      assert.equal(left, 'to the left of');
      used.add(near!);
      assert.deepEqual(batch.targets[0]!.relations, plain.targets[0]!.relations);
    }
    assert.deepEqual([...used].sort(), ['close to', 'near']);
  });

  it('reproduces the official quirks with compat', async () => {
    const augmented = { image: imageOf(60, 40), sample };
    const quirks = {
      ...options,
      noise: { label: 1, box: 0 },
      compat: { leakMaskForFullBatchesOnly: true, labelNoiseWithinBatchSize: true, positivePairsFirst: true },
    };
    const batch = trainingBatch([augmented, augmented], { epoch: 0, position: 0 }, await vocabulary(), quirks);
    assert.equal(batch.attentionMask, null);
    assert.ok(batch.noisy.every(({ subjectLabels }) => subjectLabels.every((label) => label < 2)));
    const full = trainingBatch([augmented], { epoch: 0, position: 0 }, await vocabulary(), { ...quirks, maxPairs: 2 });
    assert.ok(full.attentionMask);
  });

  it('handles 300 objects, one label, and images without a pair', async () => {
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
