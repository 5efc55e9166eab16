import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../src/model/backends/use-backend.js';
import type { TrainingConfig } from '../../src/records/training-config.js';
import { dryRun } from '../../src/training/dry-run.js';
import { trainingSettings } from '../../src/training/settings/training-settings.js';
import { stepMemory } from '../../src/training/step-memory.js';
import { temporaryFolder } from '../support/folders.js';
import { writeTrainingScenes } from '../support/training-scenes.js';

const base = {
  epochs: 1,
  batchSize: 2,
  augmentation: { flip: 0, colorJitter: 0, shorterSides: [64], maxSize: 96 },
};

describe('stepMemory', () => {
  before(() => useBackend('wasm', { threads: 1 }));

  it('is close to what a step allocates on wasm, and no less for the largest step', async () => {
    const { lines, images } = await writeTrainingScenes(temporaryFolder(), 2);
    const labels = { objects: 60, relations: 20 };
    const data = [{ sceneGraphs: lines, images }];
    for (const [task, model] of [
      ['tagger', 'tinyTagger'],
      ['rlip', 'tinyParseda'],
    ] as const) {
      const config: TrainingConfig = { ...base, data, task, model, labels, backend: 'wasm', threads: 1 };
      const allocated = countAllocations();
      const { step, trained, frozen, memory } = await dryRun(config);
      // The step is run without the moments of the optimizer.
      const measured = allocated() + memory.optimizer;
      const { peakBytes } = step!;
      assert.ok(Math.abs(peakBytes / measured - 1) < 0.1, `${peakBytes}, but ${measured} were allocated`);
      assert.ok(peakBytes <= memory.peak, `${peakBytes} and ${memory.peak}`);
      const { numTensors } = tf.memory();
      assert.deepEqual(await stepMemory(trainingSettings(config)), memory);
      assert.equal(tf.getBackend(), 'wasm');
      assert.equal(tf.memory().numTensors, numTensors);
      assert.equal(memory.weights, 4 * (trained + frozen));
    }
  });

  it('expects a wide and a tall image in one batch', async () => {
    const config: TrainingConfig = {
      ...base,
      task: 'tagger',
      model: 'tinyTagger',
      data: [{ sceneGraphs: 'scene-graphs.jsonl', images: 'images' }],
      labels: { objects: 12, relations: 8 },
    };
    const activations = async (sizes: { shorterSides: number[]; maxSize: number }, batchSize = 2) => {
      const augmentation = { ...base.augmentation, ...sizes };
      return (await stepMemory(trainingSettings({ ...config, batchSize, augmentation }))).activations;
    };
    const mixed = await activations({ shorterSides: [64], maxSize: 128 });
    assert.equal(mixed, await activations({ shorterSides: [128], maxSize: 128 }));
    const one = await activations({ shorterSides: [64], maxSize: 128 }, 1);
    assert.ok(one < (await activations({ shorterSides: [128], maxSize: 128 }, 1)));
  });
});

/** Counts the bytes of new arrays of the wasm backend; returns a function that ends it and returns the most at once. */
function countAllocations(): () => number {
  const arrays = (tf.backend() as unknown as { dataIdMap: tf.DataStorage<Parameters<typeof bytesOf>[0]> }).dataIdMap;
  const sizes = new Map<tf.DataId, number>();
  let [bytes, most] = [0, 0];
  const set = arrays.set.bind(arrays);
  const remove = arrays.delete.bind(arrays);
  arrays.set = (id, array) => {
    set(id, array);
    sizes.set(id, bytesOf(array));
    bytes += bytesOf(array);
    most = Math.max(most, bytes);
  };
  arrays.delete = (id) => {
    bytes -= sizes.get(id) ?? 0;
    sizes.delete(id);
    return remove(id);
  };
  return () => {
    Object.assign(arrays, { set, delete: remove });
    return most;
  };
}

const bytesOf = ({ shape, dtype }: { shape: number[]; dtype: tf.DataType }) =>
  dtype === 'string' ? 0 : tf.util.sizeFromShape(shape) * tf.util.bytesPerElement(dtype);
