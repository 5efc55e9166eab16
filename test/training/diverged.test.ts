import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useBackend } from '../../src/model/backends/use-backend.js';
import type { TrainingConfig } from '../../src/records/training-config.js';
import { train } from '../../src/training/train.js';
import { temporaryFolder } from '../support/folders.js';
import { tinyRlip, writeTrainingScenes } from '../support/training-scenes.js';

describe('a training that diverges', () => {
  const folder = temporaryFolder();
  let data: TrainingConfig['data'];

  before(async () => {
    await useBackend('wasm', { threads: 1 });
    const { lines, images } = await writeTrainingScenes(folder, 6);
    data = [{ sceneGraphs: lines, images }];
  });

  /** Trains with a learning rate that breaks the weights; returns the message and the report. */
  async function diverged(learningRate: number, changed: Partial<TrainingConfig>) {
    const out = join(temporaryFolder(), 'run');
    const optimizer = { learningRate, backboneLearningRate: learningRate, textLearningRate: learningRate };
    const run = { prefetch: 1, readers: 0, backend: 'wasm', threads: 1 } as const;
    const config = { ...tinyRlip, ...run, data, optimizer, ...changed };
    const error: Error & { code: string } = await train(config, { out }).then(
      () => assert.fail('the training ended'),
      (problem) => problem,
    );
    assert.equal(error.code, 'diverged', error.message);
    assert.ok(error.message.endsWith(`; see ${join(out, 'failure.json')}`), error.message);
    const checkpoints = join(out, 'checkpoints');
    return {
      message: error.message,
      report: JSON.parse(readFileSync(join(out, 'failure.json'), 'utf8')),
      checkpoints: existsSync(checkpoints) ? readdirSync(checkpoints) : [],
    };
  }

  it('names the batch whose outputs could not be matched, not the others of its step, and saves the weights before it', async () => {
    const { message, report, checkpoints } = await diverged(1e30, { accumulationSteps: 2, steps: 3 });
    assert.match(message, /^training: step 2: the loss is NaN at images 11000\d\d, 11000\d\d; /);
    assert.deepEqual([report.step, report.data, report.loss, report.images.length], [2, 'training', 'NaN', 2]);
    assert.equal(report.labels.length, 1);
    assert.deepEqual(checkpoints, ['step-00000001']);
  });

  it('on the validation data names its batch', async () => {
    const { message, report } = await diverged(1e30, { validation: data, evaluateEvery: 1 });
    assert.match(message, /step 1: the loss of the validation data is NaN at validation images 11000\d\d, 11000\d\d; /);
    assert.deepEqual([report.step, report.data, report.images.length], [1, 'validation', 2]);
  });

  it('in the weights themselves names the array and the batches of the last step', async () => {
    const { message, report, checkpoints } = await diverged(1e38, { checkpointEvery: 1 });
    assert.match(
      message,
      /step 1: .* values that are not finite.*the checkpoints before it are kept at images 11000\d\d/,
    );
    assert.deepEqual([report.step, report.images.length], [1, 2]);
    assert.deepEqual(checkpoints, []);
  });
});
