import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openSafetensors } from '../../src/files/open-safetensors.js';
import { useBackend } from '../../src/model/backends/use-backend.js';
import type { TrainingConfig } from '../../src/records/training-config.js';
import { dryRun } from '../../src/training/dry-run.js';
import { train } from '../../src/training/train.js';
import type { TrainOptions } from '../../src/training/train-options.js';
import type { TrainingEvent } from '../../src/training/training-log.js';
import { temporaryFolder } from '../support/folders.js';
import { countThreads } from '../support/threads.js';
import { eventsOf, stepsOf } from '../support/training-events.js';
import { tinyTagger as config, writeTrainingScenes } from '../support/training-scenes.js';

describe('train: 6 steps of the tiny tagger on 8 scenes', function () {
  this.timeout(900_000);
  const folder = temporaryFolder();
  let data: TrainingConfig['data'];

  before(async () => {
    await useBackend('wasm', { threads: 1 });
    const { lines, images } = await writeTrainingScenes(folder, 8);
    data = [{ sceneGraphs: lines, images }];
  });

  const trained = (out: string, options: Partial<TrainOptions> = {}, changed: Partial<TrainingConfig> = {}) =>
    train({ ...config, data, backend: 'wasm', prefetch: 1, readers: 0, ...changed }, { out, ...options });
  const losses = (out: string) => stepsOf(out).map(({ step, epoch, loss }) => [step, epoch, loss]);
  const reference = join(temporaryFolder(), 'reference');

  it('writes weights, checkpoints and a log, and frees all tensors', async () => {
    const { numTensors } = tf.memory();
    const result = await trained(reference, {}, { validation: data });
    assert.deepEqual([result.folder, result.finished, result.steps], [reference, true, 6]);
    assert.equal(tf.memory().numTensors, numTensors);
    const weights = await openSafetensors(result.weights!);
    assert.equal(weights.metadata['model'], 'tinyTagger');
    await weights.close();
    assert.deepEqual(readdirSync(join(reference, 'checkpoints')).sort(), ['step-00000004', 'step-00000006']);
    const events = eventsOf(reference);
    assert.equal(events[0]!.event, 'start');
    assert.deepEqual(
      losses(reference).map(([step, epoch]) => [step, epoch]),
      [
        [1, 0],
        [2, 0],
        [3, 0],
        [4, 0],
        [5, 1],
        [6, 1],
      ],
    );
    // Eight images are four steps, so that the second epoch does not end.
    assert.deepEqual(
      events.filter(({ event }) => event === 'evaluation').map(({ step }) => step),
      [4],
    );
    const steps = events.flatMap((event) => (event.event === 'step' ? [event] : []));
    assert.ok(
      steps.every(({ loss, gradientNorm, pairs, positives }) => loss > 0 && gradientNorm > 0 && pairs >= positives),
    );
    // Warm-up over two steps, then a cosine.
    assert.ok(Math.abs(steps[0]!.learningRate - 0.5e-3) < 1e-12 && Math.abs(steps[1]!.learningRate - 1e-3) < 1e-12);
  });

  it('refuses a folder with another training, and options that contradict each other, before any work', async () => {
    await assert.rejects(trained(reference), {
      code: 'bad-output',
      message: `${reference}: already contains a training run: pass --resume to continue it, or --overwrite to replace it`,
    });
    await assert.rejects(trained(reference, { resume: true }, { seed: 6 }), {
      code: 'bad-output',
      message: `${join(reference, 'settings.json')}: belongs to a run with another 'seed': choose another folder, or pass --overwrite to replace it`,
    });
    const missing = join(folder, 'missing');
    await assert.rejects(trained(missing, { resume: true }), {
      code: 'bad-output',
      message: `${missing}: contains no training run to resume`,
    });
    await assert.rejects(trained(missing, { resume: true, overwrite: true }), {
      code: 'bad-option',
      message: 'train: expected resume or overwrite, not both',
    });
    await assert.rejects(trained(''), { code: 'bad-option', message: 'train: no output folder' });
    const images = join(folder, 'nowhere');
    await assert.rejects(trained(missing, {}, { data: [{ sceneGraphs: 'x.jsonl', images }] }), {
      code: 'bad-input',
      message: `${images}: no such image folder`,
    });
    assert.ok(!existsSync(missing));
  });

  it('keeps a second training out of the folder, and overwrites one when asked to', async () => {
    const out = join(temporaryFolder(), 'locked');
    let second: Promise<unknown> | undefined;
    const onProgress = (event: TrainingEvent) => {
      if (event.event === 'start') second = trained(out, { overwrite: true }).catch((error: Error) => error.message);
    };
    await trained(out, { onProgress }, { steps: 3 });
    assert.match(String(await second), /locked: (another process|process \d+) is writing to it; /);
    assert.ok(existsSync(join(out, 'checkpoints', 'step-00000003')));
    const { weights } = await trained(out, { overwrite: true });
    assert.deepEqual(readdirSync(join(out, 'checkpoints')).sort(), ['step-00000004', 'step-00000006']);
    assert.deepEqual(readFileSync(weights!), readFileSync(join(reference, 'weights.safetensors')));
  });

  it('is aborted by its signal, without a checkpoint of the last step', async () => {
    const out = join(temporaryFolder(), 'aborted');
    const abort = new AbortController();
    const onProgress = (event: TrainingEvent) => {
      if (event.event === 'step' && event.step === 3) abort.abort(new Error('enough'));
    };
    const { numTensors } = tf.memory();
    await assert.rejects(trained(out, { signal: abort.signal, onProgress }), { message: 'enough' });
    assert.equal(tf.memory().numTensors, numTensors);
    assert.deepEqual(readdirSync(join(out, 'checkpoints')), ['step-00000002']);
    const { weights } = await trained(out, { resume: true });
    assert.deepEqual(readFileSync(weights!), readFileSync(join(reference, 'weights.safetensors')));
  });

  it('refuses to resume from a damaged checkpoint or one with other settings', async () => {
    const out = join(temporaryFolder(), 'damaged');
    await trained(out, {}, { steps: 2 });
    const file = join(out, 'checkpoints', 'step-00000002', 'state.json');
    const state = JSON.parse(readFileSync(file, 'utf8'));
    const resumed = (text: string) => {
      writeFileSync(file, text);
      return trained(out, { resume: true }, { steps: 2 });
    };
    const bad = (problem: string) => ({ code: 'bad-checkpoint', message: `${file}: ${problem}` });
    await assert.rejects(resumed('{'), bad('cannot be read'));
    await assert.rejects(resumed('{}'), bad('has format undefined, expected relflow.training-state/1'));
    await assert.rejects(
      resumed(JSON.stringify({ ...state, step: -1 })),
      bad('expected step, updates, next.epoch and next.position as whole numbers, and settings'),
    );
    await assert.rejects(resumed(JSON.stringify({ ...state, settings: 'other' })), {
      code: 'bad-output',
      message: /step-00000002: was written with other settings \(other, expected [0-9a-f]{12}\): resume with the /,
    });
  });

  it('resumes after a stop to the same weights', async () => {
    const out = join(temporaryFolder(), 'stopped');
    const stop = new AbortController();
    const onProgress = (event: TrainingEvent) => {
      if (event.event === 'step' && event.step === 3) stop.abort();
    };
    const first = await trained(out, { stop: stop.signal, onProgress });
    assert.deepEqual([first.finished, first.steps, first.weights], [false, 3, null]);
    assert.ok(!existsSync(join(out, 'weights.safetensors')));
    const second = await trained(out, { resume: true });
    assert.deepEqual([second.finished, second.steps], [true, 6]);
    assert.deepEqual(losses(out), losses(reference));
    assert.deepEqual(readFileSync(second.weights!), readFileSync(join(reference, 'weights.safetensors')));
  });

  it('reads images in threads to the same weights, and ends all threads', async () => {
    const out = join(temporaryFolder(), 'threads');
    const stop = new AbortController();
    const onProgress = (event: TrainingEvent) => {
      if (event.event === 'step' && event.step === 3) stop.abort();
    };
    const first = await countThreads(() => trained(out, { stop: stop.signal, onProgress }, { readers: 1 }));
    assert.deepEqual([first.result.steps, first.started, first.left], [3, 1, 0]);
    const second = await countThreads(() =>
      trained(out, { resume: true }, { readers: 2, prefetch: 3, imageCacheMegabytes: 10 }),
    );
    assert.deepEqual([second.started, second.left], [2, 0]);
    assert.deepEqual(losses(out), losses(reference));
    assert.deepEqual(readFileSync(second.result.weights!), readFileSync(join(reference, 'weights.safetensors')));
  });

  for (const { learningRate, written } of [
    { learningRate: 1e30, written: true },
    // The first step makes infinite weights, which are not written.
    { learningRate: 1e38, written: false },
  ])
    it(`stops when the loss is not finite: names the images, and keeps finite weights (learning rate ${learningRate})`, async () => {
      const out = join(temporaryFolder(), 'diverged');
      const optimizer = { learningRate, backboneLearningRate: learningRate, textLearningRate: learningRate };
      await assert.rejects(
        trained(out, {}, { optimizer, schedule: { kind: 'step', dropAfter: [9], factor: 0.1, warmup: 0 } }),
        (error: Error & { code: string }) => {
          assert.equal(error.code, 'diverged');
          assert.match(
            error.message,
            /^training: step [23]: the (?:loss|gradient norm) is (?:NaN|Infinity) at images 11000\d\d, 11000\d\d; see /,
          );
          return true;
        },
      );
      const { step, images } = JSON.parse(readFileSync(join(out, 'failure.json'), 'utf8'));
      assert.equal(images.length, 2);
      const checkpoints = readdirSync(join(out, 'checkpoints'));
      assert.deepEqual(checkpoints, written ? [`step-${String(step - 1).padStart(8, '0')}`] : []);
    });

  it('accumulates gradients over several batches, and trains with a single label', async () => {
    const out = join(temporaryFolder(), 'accumulated');
    const result = await trained(out, {}, { accumulationSteps: 2, steps: 1, labels: { objects: 0, relations: 1 } });
    assert.ok(result.loss !== null && Number.isFinite(result.loss));
    const [step] = stepsOf(out);
    assert.equal(step!.images, 4);
  });

  it('dryRun runs one step, and reports its shapes and memory', async () => {
    const run = await dryRun({ ...config, data, backend: 'wasm' });
    assert.deepEqual(run.shapes['objects'], [13]);
    assert.deepEqual(run.shapes['pairs']![0], 2);
    assert.ok(run.memory.peak > run.memory.weights);
    const { loss, peakBytes } = run.step!;
    const { weights, gradients, optimizer, peak } = run.memory;
    assert.ok(loss > 0 && peakBytes > weights + gradients + optimizer && peakBytes <= peak);
  });

  it('refuses a batch that the data cannot fill', async () => {
    await assert.rejects(trained(join(temporaryFolder(), 'x'), {}, { batchSize: 9 }), {
      message: 'training: /batchSize 9, but the data has only 8 usable images, expected at least one full batch',
    });
  });
});
