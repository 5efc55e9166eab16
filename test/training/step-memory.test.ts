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

  it('is close to the measured memory of a step on wasm', async () => {
    const { lines, images } = await writeTrainingScenes(temporaryFolder(), 2);
    const labels = { objects: 60, relations: 20 };
    const data = [{ sceneGraphs: lines, images }];
    for (const [task, model] of [
      ['tagger', 'tinyTagger'],
      ['rlip', 'tinyParseda'],
    ] as const) {
      const config: TrainingConfig = { ...base, data, task, model, labels, backend: 'wasm', threads: 1 };
      const { step, trained, frozen } = await dryRun(config);
      const { peakBytes, weightBytes } = step!;
      // Other tensors of this process are not counted.
      const measured = peakBytes - (weightBytes - 4 * (trained + frozen));
      const { numTensors } = tf.memory();
      const memory = await stepMemory(trainingSettings(config));
      assert.equal(tf.getBackend(), 'wasm');
      assert.equal(tf.memory().numTensors, numTensors);
      assert.equal(memory.weights, 4 * (trained + frozen));
      // This batch has fewer labels and smaller images than the largest one.
      assert.ok(memory.peak > 0.9 * measured && memory.peak < 4 * measured, `${memory.peak} and ${measured}`);
    }
  });
});
