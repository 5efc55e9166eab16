import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openSafetensors } from '../../src/files/open-safetensors.js';
import type { TrainingConfig } from '../../src/records/training-config.js';
import { train } from '../../src/training/train.js';
import type { TrainOptions } from '../../src/training/train-options.js';
import type { TrainingEvent } from '../../src/training/training-log.js';
import { temporaryFolder } from '../support/folders.js';
import { useNativeBackend } from '../support/native-backend.js';
import { trainWithKills } from '../support/train-with-kills.js';
import { eventsOf, stepsOf } from '../support/training-events.js';
import { tinyRlip, tinyTagger, writeTrainingScenes } from '../support/training-scenes.js';

describe('train on tensorflow: 20 recorded steps of the tiny tagger', function () {
  this.timeout(600_000);
  const folder = temporaryFolder();
  let data: TrainingConfig['data'];

  before(async function () {
    await useNativeBackend.call(this);
    const { lines, images } = await writeTrainingScenes(folder, 8);
    data = [{ sceneGraphs: lines, images }];
  });

  const configOf = (changed: Partial<TrainingConfig>): TrainingConfig => ({
    ...{ ...tinyTagger, data, backend: 'tensorflow', threads: 2, prefetch: 1, readers: 0 },
    // One shape, so that one step is recorded.
    ...{ epochs: 8, steps: 20, emaDecay: 0.9, checkpointEvery: 10, canvasMultiple: 80 },
    modelOptions: { encoderLayers: 1, decoderLayers: 1 },
    ...changed,
  });
  const trained = (out: string, changed: Partial<TrainingConfig> = {}, options: Partial<TrainOptions> = {}) =>
    train(configOf(changed), { out, ...options });
  /** The losses of validation data agree. */
  function assertSameEvaluations(...outs: readonly [string, string]): void {
    const [a, b] = outs.map((out) =>
      eventsOf(out).flatMap((event) => (event.event === 'evaluation' ? [event.loss] : [])),
    ) as [number[], number[]];
    assert.ok(a.length > 0 && a.length === b.length);
    for (const [k, loss] of a.entries()) assert.ok(Math.abs(loss - b[k]!) <= 2e-5 * loss, `${loss}, ${b[k]}`);
  }
  const recorded = join(folder, 'recorded');

  it('has the eager losses within 1e-5, and checkpoints of the same form', async () => {
    const eager = join(folder, 'eager');
    await trained(recorded, { validation: data });
    await trained(eager, { eager: true, validation: data });
    const [a, b] = [stepsOf(recorded), stepsOf(eager)];
    assert.equal(a.length, 20);
    for (const [k, step] of a.entries())
      assert.ok(Math.abs(step.loss - b[k]!.loss) <= 1e-5 * b[k]!.loss, `step ${k + 1}: ${step.loss}, ${b[k]!.loss}`);
    assertSameEvaluations(recorded, eager);
    assert.ok(eventsOf(recorded).some(({ event }) => event === 'recording'));
    assert.ok(!eventsOf(eager).some(({ event }) => event === 'recording'));
    for (const name of ['weights', 'optimizer', 'average']) {
      const path = (out: string) => join(out, 'checkpoints/step-00000010', `${name}.safetensors`);
      const [one, other] = [await openSafetensors(path(recorded)), await openSafetensors(path(eager))];
      assert.deepEqual(
        [...one.entries].map(([entry, { shape }]) => [entry, shape]),
        [...other.entries].map(([entry, { shape }]) => [entry, shape]),
      );
      await one.close();
      await other.close();
    }
    assert.deepEqual(readdirSync(recorded).sort(), readdirSync(eager).sort());
  });

  it('resumes after a stop to the same weights, and frees all tensors', async () => {
    const out = join(folder, 'stopped');
    const { numTensors } = tf.memory();
    const stop = new AbortController();
    const onProgress = (event: TrainingEvent) => {
      if (event.event === 'step' && event.step === 7) stop.abort();
    };
    await trained(out, {}, { stop: stop.signal, onProgress });
    const { weights } = await trained(out, {}, { resume: true });
    assert.deepEqual(
      stepsOf(out).map(({ loss }) => loss),
      stepsOf(recorded).map(({ loss }) => loss),
    );
    assert.deepEqual(readFileSync(weights!), readFileSync(join(recorded, 'weights.safetensors')));
    assert.equal(tf.memory().numTensors, numTensors);
  });

  for (const { name, changed, moments } of [
    // Two shapes, so that weights and moments move between sessions.
    // Killed while the first step is recorded, after a step, and at a checkpoint.
    {
      name: 'a tagger',
      changed: { canvasMultiple: 64, checkpointEvery: 3, batchSize: 1, steps: 12 },
      moments: [1, 4, 9].map((step) => ({ step, milliseconds: 3 })),
    },
    {
      name: 'ParSeDA',
      changed: { ...tinyRlip, canvasMultiple: 64, steps: 24, epochs: 8, checkpointEvery: 2 },
      moments: [2, 8].map((step) => ({ step, milliseconds: 0 })),
    },
  ])
    it(`comes to the same weights and the same log when the command is killed by -9 and resumed: ${name}`, async () => {
      const [whole, out] = [join(folder, `whole ${name}`), join(folder, `killed ${name}`)];
      const config = configOf({ ...changed, data });
      const file = join(folder, `${name}.json`);
      writeFileSync(file, JSON.stringify(config));
      await trained(whole, config);
      assert.ok((await trainWithKills(file, out, moments)) >= 1);
      const { weights } = await trained(out, config, { resume: true });
      const logOf = (folder: string) =>
        stepsOf(folder).map(({ step, loss, gradientNorm }) => [step, loss, gradientNorm]);
      assert.deepEqual(logOf(out), logOf(whole));
      assert.deepEqual(readFileSync(weights!), readFileSync(join(whole, 'weights.safetensors')));
    });

  it('has the eager losses of ParSeDA, whose matching is between two recorded passes', async () => {
    const [a, b] = [join(folder, 'parseda'), join(folder, 'parseda-eager')];
    const changed = { ...tinyRlip, data, canvasMultiple: 64, steps: 4, emaDecay: 0.9, validation: data };
    await trained(a, changed);
    await trained(b, { ...changed, eager: true });
    const [steps, expected] = [stepsOf(a), stepsOf(b)];
    assert.equal(steps.length, 4);
    assertSameEvaluations(a, b);
    for (const [k, step] of steps.entries())
      assert.ok(
        Math.abs(step.loss - expected[k]!.loss) <= 1e-5 * step.loss,
        `${k}: ${step.loss}, ${expected[k]!.loss}`,
      );
    assert.ok(eventsOf(a).some(({ event }) => event === 'recording'));
  });

  it('averages the gradients of several batches as eager steps do', async () => {
    const [a, b] = [join(folder, 'several'), join(folder, 'several-eager')];
    // Two shapes, so that the sums move between sessions.
    const changed = { batchSize: 1, accumulationSteps: 2, steps: 4, checkpointEvery: 100, canvasMultiple: 64 };
    await trained(a, changed);
    await trained(b, { ...changed, eager: true });
    const [steps, expected] = [stepsOf(a), stepsOf(b)];
    for (const [k, step] of steps.entries()) {
      assert.ok(Math.abs(step.loss - expected[k]!.loss) <= 1e-5 * step.loss, `${step.loss}, ${expected[k]!.loss}`);
      const norm = expected[k]!.gradientNorm;
      assert.ok(Math.abs(step.gradientNorm - norm) <= 1e-3 * norm, `${step.gradientNorm}, ${norm}`);
    }
  });
});
