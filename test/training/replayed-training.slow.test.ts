import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../src/model/backends/use-backend.js';
import type { TrainingConfig } from '../../src/records/training-config.js';
import { train } from '../../src/training/train.js';
import type { TrainOptions } from '../../src/training/train-options.js';
import type { TrainingEvent } from '../../src/training/training-log.js';
import { temporaryFolder } from '../support/folders.js';
import { eventsOf, stepsOf } from '../support/training-events.js';
import { tinyRlip, tinyTagger, writeTrainingScenes } from '../support/training-scenes.js';
import { webgpuOrSkip } from '../support/webgpu.js';

describe('train on webgpu: recorded steps', function () {
  // A software device compiles some hundred programs.
  this.timeout(1_800_000);
  const folder = temporaryFolder();
  let data: TrainingConfig['data'];

  before(async function () {
    await webgpuOrSkip(this);
    const { lines, images } = await writeTrainingScenes(folder, 4);
    data = [{ sceneGraphs: lines, images }];
  });
  after(() => useBackend('wasm', { threads: 1 }));

  const trained = (out: string, changed: Partial<TrainingConfig> = {}, options: Partial<TrainOptions> = {}) =>
    train(
      {
        ...{ ...tinyTagger, data, backend: 'webgpu', prefetch: 1, readers: 0, emaDecay: 0.9 },
        // One shape, so that one step is recorded.
        ...{ batchSize: 1, accumulationSteps: 2, epochs: 8, steps: 4, checkpointEvery: 2, canvasMultiple: 80 },
        modelOptions: { encoderLayers: 1, decoderLayers: 1, pairs: 10 },
        ...changed,
      },
      { out, ...options },
    );

  /** Asserts that a recorded training has the losses and norms of an eager one. */
  function assertSameSteps(recorded: string, eager: string, count: number): void {
    const [a, b] = [stepsOf(recorded), stepsOf(eager)];
    assert.deepEqual([a.length, b.length], [count, count]);
    for (const [k, { loss, gradientNorm }] of a.entries()) {
      assert.ok(Math.abs(loss - b[k]!.loss) <= 1e-5 * loss, `step ${k + 1}: ${loss}, ${b[k]!.loss}`);
      assert.ok(Math.abs(gradientNorm - b[k]!.gradientNorm) <= 1e-3 * gradientNorm);
    }
    const recordings = (out: string) => eventsOf(out).filter(({ event }) => event === 'recording').length;
    assert.deepEqual([recordings(recorded), recordings(eager)], [1, 0]);
  }

  it('of a tagger have the eager losses and gradient norms, and resume to the same weights', async () => {
    const [recorded, eager, stopped] = ['recorded', 'eager', 'stopped'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await trained(recorded);
    const { numTensors } = tf.memory();
    await trained(eager, { eager: true });
    assertSameSteps(recorded, eager, 4);
    const stop = new AbortController();
    const onProgress = (event: TrainingEvent) => {
      if (event.event === 'step' && event.step === 1) stop.abort();
    };
    await trained(stopped, {}, { stop: stop.signal, onProgress });
    const { weights } = await trained(stopped, {}, { resume: true });
    assert.deepEqual(
      stepsOf(stopped).map(({ loss }) => loss),
      stepsOf(recorded).map(({ loss }) => loss),
    );
    assert.deepEqual(readFileSync(weights!), readFileSync(join(recorded, 'weights.safetensors')));
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it('of ParSeDA match between their two parts, and have the eager losses and gradient norms', async () => {
    const [recorded, eager] = [join(folder, 'rlip-recorded'), join(folder, 'rlip-eager')];
    const rlip = { ...tinyRlip, data, accumulationSteps: 1, steps: 3, modelOptions: { ...tinyRlip.modelOptions } };
    await trained(recorded, rlip);
    const { numTensors } = tf.memory();
    await trained(eager, { ...rlip, eager: true });
    assertSameSteps(recorded, eager, 3);
    assert.equal(tf.memory().numTensors, numTensors);
  });
});
