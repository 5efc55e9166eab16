// npx tsx bench/gpu/plan-memory.ts [parseda] [SIZE]...: memory of recorded steps of the R-Tagger R50, or of ParSeDA R50, on
// webgpu, without running any.
// Records the step, finds its programs without compiling them, and plans their buffers. Needs the webgpu backend (a software
// device will do) and some gigabytes of main memory. SIZE is height, width and images, such as 480x640x1.
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../src/model/backends/use-backend.js';
import { parsedaR50, rTaggerR50 } from '../../src/model/presets.js';
import { capturePrograms } from '../../src/model/recording/webgpu/capture-programs.js';
import { planBuffers } from '../../src/model/recording/webgpu/plan-buffers.js';
import { lifetimesOf } from '../../src/model/recording/webgpu/webgpu-replay.js';
import { RlipV2 } from '../../src/model/rlip-v2.js';
import { GRADIENT, recordedDropout, recordPass } from '../../src/training/recorded/record-pass.js';
import { SQUARED } from '../../src/training/recorded/update-programs.js';
import { gigabytes } from '../model/format-report.js';
import { madeUpBatch, madeUpForward, setMadeUpWeights } from '../model/made-up-training.js';

const isTagger = process.argv[2] !== 'parseda';
const sizes = process.argv.slice(isTagger ? 2 : 3);
await useBackend('webgpu');
const model = new RlipV2(isTagger ? rTaggerR50 : parsedaR50);
setMadeUpWeights(model.parameters.values());
// Programs need not be compiled to be counted.
const pipeline = { getBindGroupLayout: () => ({}) };
const backend = tf.backend() as unknown as { pipelineCache: object };
backend.pipelineCache = new Proxy({}, { has: () => true, get: () => pipeline });
const parameters = [...model.parameters.values()].filter(({ trained }) => trained);
const forward = madeUpForward(model, isTagger);
const weights = [...model.parameters.values()].reduce((sum, { size }) => sum + 4 * size, 0);
const trained = parameters.reduce((sum, { size }) => sum + 4 * size, 0);
for (const size of sizes.length > 0 ? sizes : ['480x640x1']) {
  const [height, width, images] = size.split('x').map(Number) as [number, number, number];
  const batch = madeUpBatch({ images, height, width, isTagger });
  const { recording } = recordPass({ target: 'webgpu' }, parameters, (onOutputs) =>
    forward.run(batch, recordedDropout(true, 1), forward.before?.placeholder(batch), onOutputs),
  );
  const captured = capturePrograms(recording);
  const lifetimes = [...lifetimesOf(captured).values()];
  const { buffers } = planBuffers(lifetimes);
  const made = lifetimes.reduce((sum, { bytes }) => sum + bytes, 0);
  const planned = buffers.reduce((sum, bytes) => sum + bytes, 0);
  const fixed = captured.arrays.reduce(
    (sum, { bytes, constant, data }) => sum + (constant || data !== undefined ? bytes : 0),
    0,
  );
  const updated = Object.keys(recording.outputs).filter((name) => name.startsWith(GRADIENT)).length;
  // In place: a program for each parameter, and the norm.
  const updatePrograms = updated + Math.ceil(updated / SQUARED) + 1;
  // Weights, gradients, both moments and the moving average.
  const kept = weights + 4 * trained;
  console.log(
    `${size}: ${recording.calls.length} kernels, ${captured.programs.length} programs and ${updatePrograms} of the update; ${lifetimes.length} arrays of ${gigabytes(made)} in ${buffers.length} buffers of ${gigabytes(planned)}; constants and data ${gigabytes(fixed)}; weights, gradients, moments and average ${gigabytes(kept)}; in all ${gigabytes(planned + fixed + kept)}`,
  );
}
process.exit(0);
