// Measures training steps of one model and size for `npm run bench:gpu`, and sends the result to the parent process.
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { BackendName } from '../../src/model/backends/backend-names.js';
import { useBackend } from '../../src/model/backends/use-backend.js';
import { parsedaR50, rTaggerR50, tiny } from '../../src/model/presets.js';
import { RlipV2 } from '../../src/model/rlip-v2.js';
import { AdamW, Ema, officialAdamW } from '../../src/training/index.js';
import { fixedShapes } from '../../src/training/recorded/fixed-shapes.js';
import { RecordedEngine } from '../../src/training/recorded/recorded-engine.js';
import { ReplayedEngine } from '../../src/training/recorded/replayed-engine.js';
import { trainingSettings } from '../../src/training/settings/training-settings.js';
import { EagerEngine } from '../../src/training/step-engine.js';
import { finished } from '../model/finished.js';
import { madeUpBatch, madeUpForward, setMadeUpWeights } from '../model/made-up-training.js';
import type { StepMeasurement } from './gpu-rows.js';

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'webgpu' },
    model: { type: 'string', default: 'tagger' },
    size: { type: 'string', default: '480x640x1' },
    steps: { type: 'string', default: '5' },
    eager: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
  },
});
const [height, width, images] = values.size.split('x').map(Number) as [number, number, number];
const isTagger = values.model === 'tagger';
const backend = await useBackend(values.backend as BackendName);
const full = isTagger ? rTaggerR50 : parsedaR50;
const small = isTagger ? tiny.tagger : tiny.parseda;
const config = values.small ? { ...small, pairs: full.pairs, text: { ...small.text, vocabulary: 1000 } } : full;
const model = new RlipV2(config);
setMadeUpWeights(model.parameters.values());
const forward = madeUpForward(model, isTagger);
const settings = trainingSettings({
  ...{
    task: isTagger ? 'tagger' : 'rlip',
    model: isTagger ? 'rTaggerR50' : 'parsedaR50',
    epochs: 1,
    batchSize: images,
  },
  ...{ data: [{ sceneGraphs: 'made-up', images: 'made-up' }], emaDecay: 0.9999 },
});
const options = {
  ...{ settings, forward, parameters: model.parameters },
  optimizer: new AdamW(model.parameters.values(), officialAdamW),
  ema: new Ema(model.parameters.values(), 0.9999),
  prepared: (batch: Parameters<typeof fixedShapes>[0]) => fixedShapes(batch, config.pairs),
  onRecording: async () => {},
};
const Recorded = { tensorflow: RecordedEngine, webgpu: ReplayedEngine, wasm: null, cpu: null }[backend.name];
const isRecorded = !values.eager && Recorded !== null;
const engine = isRecorded ? new Recorded(options) : new EagerEngine(options);
const batch = madeUpBatch({ images, height, width, isTagger });

/** Runs a step until its update is done. @returns milliseconds, and the loss */
async function step(k: number): Promise<{ milliseconds: number; loss: number }> {
  const start = performance.now();
  const { loss, gradients } = await engine.gradients(batch, { step: k, part: 0, isLater: false, scheduleFactor: 1 });
  await engine.update(gradients, 1);
  await finished();
  return { milliseconds: performance.now() - start, loss };
}

const first = await step(0);
await step(1);
const later: number[] = [];
let { loss } = first;
for (let k = 0; k < Number(values.steps); k++) {
  const made = await step(k + 2);
  later.push(made.milliseconds);
  ({ loss } = made);
}
const memory = tf.memory() as { numBytesAllocatedInGPU?: number };
const measured: StepMeasurement = {
  milliseconds: later.sort((a, b) => a - b)[Math.floor(later.length / 2)]!,
  first: first.milliseconds,
  isRecorded,
  losses: [first.loss, loss],
  ...(backend.adapter !== undefined && { adapter: backend.adapter }),
  ...(engine instanceof ReplayedEngine && { programs: engine.programs }),
  ...(memory.numBytesAllocatedInGPU !== undefined && { deviceBytes: memory.numBytesAllocatedInGPU }),
};
if (process.send) process.send(measured, () => process.exit(0));
else {
  console.log(measured);
  process.exit(0);
}
