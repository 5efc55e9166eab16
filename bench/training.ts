// npx tsx bench/training.ts: the cost of reading data in a training. Steps on data from disk alternate with steps on
// data in memory, so that both see the same load of the machine.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { renderScene } from '../scripts/scenes/render-scene.js';
import { sceneGraphLines } from '../scripts/scenes/scene-graph-json.js';
import { sceneSet } from '../scripts/scenes/scene-set.js';
import { scriptFlags, wholeNumber } from '../scripts/script-flags.js';
import { useBackend } from '../src/model/index.js';
import { noDropout } from '../src/model/layers/dropout.js';
import {
  AdamW,
  AugmentedImageReader,
  batchOptions,
  batchStream,
  clipFactor,
  gradientNorm,
  lossGradients,
  openTrainingData,
  openTrainingModel,
  type TrainingBatch,
  type TrainingConfig,
  trainingSettings,
} from '../src/training/index.js';

const MIN_RATIO = 0.9;
const WARM_UP = 20;
const BATCH_SIZE = 8;

const HELP = `usage: npx tsx bench/training.ts [--steps N] [--rounds N] [--threads N] [--readers N]

Measures the cost of reading data in a training of the sprite tagger: samples per second of steps whose images are read
from disk, decoded and augmented during the steps, compared with the same steps on batches that are already in memory.

  --steps N     steps of each kind in a round (default 10)
  --rounds N    number of rounds (default 4)
  --threads N   threads of the wasm backend (default 1, as the sprite tagger is trained; two are not faster)
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
  mkdirSync(images);
  // Each image is read once, so that no cache helps.
  const scenes = sceneSet(1, 'train', BATCH_SIZE * (steps * rounds + WARM_UP + 4));
  for (const scene of scenes) writeFileSync(join(images, `${scene.id}.jpg`), await renderScene(scene));
  const file = join(folder, 'scene-graphs.jsonl');
  writeFileSync(file, sceneGraphLines(1, 'train', scenes));

  const config: TrainingConfig = {
    task: 'tagger',
    model: 'spriteTagger',
    data: [{ sceneGraphs: file, images }],
    epochs: 1,
    batchSize: BATCH_SIZE,
    labels: { objects: 80, relations: 17 },
    augmentation: 'sprites',
  };
  const settings = trainingSettings(config);
  const backend = await useBackend('wasm', { threads });
  const { data } = await openTrainingData(config, settings, signal);
  const { model, forward } = await openTrainingModel(settings, config);
  const optimizer = new AdamW(model.parameters.values(), settings.optimizer);
  const trainStep = async (batch: TrainingBatch) => {
    const { gradients } = await lossGradients(forward, batch, optimizer.variables, () => noDropout);
    const norm = await gradientNorm(gradients);
    optimizer.apply(gradients, 1, clipFactor(norm, settings.optimizer.maxGradientNorm));
    tf.dispose(gradients);
  };
  const reader = new AugmentedImageReader(settings.augmentation, readers);
  const batches = batchStream(data, batchOptions(settings, reader, 2), { epoch: 0, position: 0 }, signal);
  const next = async () => (await batches.next()).value!.batch as TrainingBatch;
  // The first steps start threads and compile code.
  for (let k = 0; k < WARM_UP; k++) await trainStep(await next());

  const times = { memory: 0, disk: 0, waited: 0 };
  for (let round = 0; round < rounds; round++) {
    const read: TrainingBatch[] = [];
    const diskStart = performance.now();
    for (let k = 0; k < steps; k++) {
      const waitStart = performance.now();
      const batch = await next();
      times.waited += performance.now() - waitStart;
      read.push(batch);
      await trainStep(batch);
    }
    times.disk += performance.now() - diskStart;
    // Waits until the images that are read ahead are done.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const memoryStart = performance.now();
    for (const batch of read) await trainStep(batch);
    times.memory += performance.now() - memoryStart;
  }
  await batches.return(undefined);
  await reader.close();
  const samplesPerSecond = (milliseconds: number) => (1000 * BATCH_SIZE * steps * rounds) / milliseconds;
  const ratio = times.memory / times.disk;
  const number = (value: number) => value.toFixed(1).padStart(7);
  const line = (milliseconds: number) =>
    `${number(samplesPerSecond(milliseconds))} samples/s, ${number(milliseconds / steps / rounds)} ms a step`;
  console.log(
    `spriteTagger, batches of ${BATCH_SIZE}, ${backend.name}, ${backend.threads} threads, ${steps * rounds} steps each`,
  );
  console.log(`data in memory   ${line(times.memory)}`);
  console.log(`data from disk   ${line(times.disk)}`);
  console.log(
    `ratio            ${ratio.toFixed(3)}, expected at least ${MIN_RATIO}: ${ratio >= MIN_RATIO ? 'yes' : 'no'}`,
  );
  console.log(`waiting for data ${((100 * times.waited) / times.disk).toFixed(1)} % of the time`);
  if (ratio < MIN_RATIO) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
