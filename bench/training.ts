// npx tsx bench/training.ts: what reading data costs a training. Steps on data from disk and on data in memory take turns, so
// that both see the same machine.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { renderScene } from '../scripts/scenes/render-scene.js';
import { sceneGraphLines } from '../scripts/scenes/scene-graph-json.js';
import { sceneSet } from '../scripts/scenes/scene-set.js';
import { scriptFlags, wholeNumber } from '../scripts/script-flags.js';
import { sceneGraphLines as readSceneGraphs } from '../src/index.js';
import { useBackend } from '../src/model/index.js';
import { noDropout } from '../src/model/layers/dropout.js';
import {
  AdamW,
  AugmentedImageReader,
  batchStream,
  clipFactor,
  gradientNorm,
  lossGradients,
  type TrainingBatch,
  TrainingData,
  taggerSettings,
} from '../src/training/index.js';
import { openTrainingModel } from '../src/training/open-training-model.js';
import { batchOptions } from '../src/training/settings/data-options.js';

const LEAST_RATIO = 0.9;
const WARM_UP = 20;

const HELP = `usage: npx tsx bench/training.ts [--steps N] [--rounds N] [--threads N] [--readers N]

What reading data costs a training of the tagger that comes with relflow: samples a second of steps whose images are read
from disk, decoded and varied while the steps run, beside the same steps on batches that are in memory already.

  --steps N     of each kind in a round (default 10)
  --rounds N    how often both take turns (default 4)
  --threads N   of the wasm backend (default 1, as the sprite tagger is trained; two are no faster)
  --readers N   threads that read images, 0 for none (default: as in a training)
  --help        this text`;

const { flags, usage } = scriptFlags(HELP, {
  steps: { type: 'string', default: '10' },
  rounds: { type: 'string', default: '4' },
  threads: { type: 'string', default: '1' },
  readers: { type: 'string' },
});
const [steps, rounds] = [wholeNumber(usage, 'steps', flags.steps), wholeNumber(usage, 'rounds', flags.rounds)];
const threads = wholeNumber(usage, 'threads', flags.threads);
const readers = flags.readers === undefined ? {} : { threads: wholeNumber(usage, 'readers', flags.readers, 0, 64) };
const folder = mkdtempSync(join(tmpdir(), 'relflow-bench-'));
const { signal } = new AbortController();
try {
  const images = join(folder, 'images');
  if (!existsSync(images)) mkdirSync(images);
  const batch = 8;
  // As many images as are read, so that none is read twice: nothing is kept of one from an epoch before.
  const scenes = sceneSet(1, 'train', batch * (steps * rounds + WARM_UP + 4));
  for (const scene of scenes) writeFileSync(join(images, `${scene.id}.jpg`), await renderScene(scene));
  const file = join(folder, 'scene-graphs.jsonl');
  writeFileSync(file, sceneGraphLines(1, 'train', scenes));

  const backend = await useBackend('wasm', { threads });
  const settings = taggerSettings({
    task: 'tagger',
    model: 'spriteTagger',
    data: [{ sceneGraphs: file, images }],
    epochs: 1,
    batchSize: batch,
    labels: { objects: 80, relations: 17 },
    augmentation: 'sprites',
  });
  const source = readSceneGraphs({ sceneGraphs: file });
  const data = await TrainingData.open([{ source, images }], { relationThreshold: 0.2 }, signal);
  const { model, forward } = await openTrainingModel(settings, {});
  const optimizer = new AdamW(model.parameters.values(), settings.optimizer);
  const step = async (of: TrainingBatch) => {
    const { gradients } = await lossGradients(forward, of, optimizer.variables, () => noDropout);
    const norm = await gradientNorm(gradients);
    optimizer.apply(gradients, 1, clipFactor(norm, settings.optimizer.maxGradientNorm));
    tf.dispose(gradients);
  };
  const reader = new AugmentedImageReader(settings.augmentation, readers);
  const batches = batchStream(data, batchOptions(settings, reader, 2), { epoch: 0, position: 0 }, signal);
  const next = async () => (await batches.next()).value!.batch as TrainingBatch;
  // Threads start and code is compiled with the first steps, which are slower for that, whatever they read.
  for (let k = 0; k < WARM_UP; k++) await step(await next());

  const times = { memory: 0, disk: 0, waited: 0 };
  for (let round = 0; round < rounds; round++) {
    const read: TrainingBatch[] = [];
    const started = performance.now();
    for (let k = 0; k < steps; k++) {
      const asked = performance.now();
      const of = await next();
      times.waited += performance.now() - asked;
      read.push(of);
      await step(of);
    }
    times.disk += performance.now() - started;
    // What was read ahead is done before the other half is measured.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const again = performance.now();
    for (const of of read) await step(of);
    times.memory += performance.now() - again;
  }
  await batches.return(undefined);
  await reader.close();
  const rate = (milliseconds: number) => (1000 * batch * steps * rounds) / milliseconds;
  const ratio = times.memory / times.disk;
  const shown = (value: number) => value.toFixed(1).padStart(7);
  console.log(
    `spriteTagger, batches of ${batch}, ${backend.name}, ${backend.threads} threads, ${steps * rounds} steps each`,
  );
  console.log(
    `data in memory   ${shown(rate(times.memory))} samples/s, ${shown(times.memory / steps / rounds)} ms a step`,
  );
  console.log(`data from disk   ${shown(rate(times.disk))} samples/s, ${shown(times.disk / steps / rounds)} ms a step`);
  console.log(
    `ratio            ${ratio.toFixed(3)}, at least ${LEAST_RATIO} wanted: ${ratio >= LEAST_RATIO ? 'yes' : 'no'}`,
  );
  console.log(`waiting for data ${((100 * times.waited) / times.disk).toFixed(1)} % of the time`);
  if (ratio < LEAST_RATIO) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
