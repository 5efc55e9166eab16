// npx tsx bench/training-step.ts: what one training step of a full-size model costs the host, by phase.
import * as tf from '@tensorflow/tfjs-core';
import { scriptFlags } from '../scripts/script-flags.js';
import { BACKENDS } from '../src/model/backends/backend-names.js';
import { nativeKernels } from '../src/model/backends/kernels/native-kernels.js';
import { registerNativeKernels } from '../src/model/backends/kernels/register-native-kernels.js';
import { seededDropout } from '../src/model/layers/dropout.js';
import { AdamW, clipFactor, Ema, gradientNorm, lossGradients, officialAdamW } from '../src/training/index.js';
import { RecordedStep } from '../src/training/recorded/recorded-step.js';
import { BindingCalls } from './model/binding-calls.js';
import { finished } from './model/finished.js';
import { gigabytes } from './model/format-report.js';
import { FULL_SIZE_FLAGS, openFullSizeModel } from './model/full-size-model.js';
import { madeUpBatch, madeUpForward } from './model/made-up-training.js';

const HELP = `usage: npx tsx bench/training-step.ts [--backend NAME] [--model tagger|parseda] [--height N] [--width N]
       [--images N] [--steps N] [--threads N] [--gathers] [--recorded] [--calls]

Runs training steps of a full-size model (100 pairs and 100 labels an image, made-up data and weights, dropout, AdamW, a
moving average) and prints, for each phase, its time and, on tensorflow, the calls from JavaScript into the library.

  --backend NAME  ${BACKENDS.join(', ')} (default tensorflow)
  --model NAME    tagger (R-Tagger R50) or parseda (RLIPv2-ParSeDA R50), default tagger
  --height N      of the images in pixels (default 96)
  --width N       of the images in pixels (default 128)
  --images N      of a batch (default 1)
  --steps N       after one warm-up step; the minimum is printed (default 3)
  --threads N     threads of the backend (default: the backend's)
  --gathers       on tensorflow, deformable attention as on a GPU: by gathers instead of WebAssembly
  --recorded      on tensorflow, run a tagger's steps as a recorded graph
  --calls         list the most frequent operations of each phase
  --help          this text`;

const { flags, usage } = scriptFlags(HELP, { ...FULL_SIZE_FLAGS, gathers: { type: 'boolean' } });
if (flags.recorded && (flags.backend !== 'tensorflow' || flags.model !== 'tagger'))
  usage('--recorded is for a tagger on tensorflow');
const { backend, model, isTagger, height, width, images, steps } = await openFullSizeModel(flags, usage);
if (flags.gathers && backend.name === 'tensorflow') registerNativeKernels(nativeKernels);
const forward = madeUpForward(model, isTagger);
const optimizer = new AdamW(model.parameters.values(), officialAdamW);
const ema = new Ema(model.parameters.values(), 0.9999);
const batch = madeUpBatch({ images, height, width, isTagger });
const calls = BindingCalls.install();
const recorded = flags.recorded
  ? new RecordedStep({
      ...{ forward, parameters: model.parameters, optimizer, ema },
      ...{ emaDecay: 0.9999, batches: 1, hasDropout: true },
    })
  : undefined;

interface Phase {
  readonly name: string;
  readonly milliseconds: number;
  readonly calls: string;
  readonly most: readonly string[];
}

async function phase<T>(name: string, phases: Phase[], run: () => Promise<T>): Promise<T> {
  calls?.reset();
  const start = performance.now();
  const result = await run();
  await finished();
  const milliseconds = performance.now() - start;
  phases.push({ name, milliseconds, calls: calls?.line() ?? '', most: calls?.mostFrequent(12) ?? [] });
  return result;
}

async function step(k: number): Promise<Phase[]> {
  const phases: Phase[] = [];
  if (recorded) {
    const start = process.cpuUsage();
    const { loss } = await phase('recorded step', phases, () =>
      recorded.run(batch, { seed: k, isLater: false, scheduleFactor: 1 }, async ({ calls: count }) =>
        console.log(`recording ${count} kernel calls`),
      ),
    );
    const [{ milliseconds }] = phases as [Phase];
    const outside = (milliseconds - (calls?.milliseconds ?? 0)).toFixed(1);
    const processor = (process.cpuUsage(start).user / 1000).toFixed(0);
    console.log(`step ${k}: loss ${loss}, norm ${await recorded.update(1)}, ${milliseconds.toFixed(0)} ms, of which`);
    console.log(`  ${outside} ms outside of the library; ${processor} ms of processor time`);
    return phases;
  }
  const drop = () => seededDropout(k);
  await forward.prepare(batch);
  await phase('forward alone', phases, async () => {
    const { total, parts } = tf.tidy(() => forward.run(batch, drop()));
    tf.dispose([total, parts]);
  });
  const { gradients, loss } = await phase('forward and backward', phases, () =>
    lossGradients(forward, batch, optimizer.variables, drop),
  );
  const norm = await phase('norm', phases, () => gradientNorm(gradients));
  await phase('AdamW', phases, async () => optimizer.apply(gradients, 1, clipFactor(norm, 0.1)));
  tf.dispose(gradients);
  await phase('average', phases, async () => ema.update(k + 1));
  console.log(`step ${k}: loss ${loss}, norm ${norm}`);
  return phases;
}

const all: Phase[][] = [];
for (let k = 0; k <= steps; k++) {
  const made = await step(k);
  if (k > 0) all.push(made);
}
const { model: name } = flags;
console.log(`${name}, ${images} x ${height} x ${width}, ${backend.name}, ${backend.threads} threads`);
for (const [k, { name: of, calls: line, most }] of all.at(-1)!.entries()) {
  const fastest = Math.min(...all.map((made) => made[k]!.milliseconds));
  console.log(`${of.padEnd(22)} ${fastest.toFixed(0).padStart(7)} ms   ${line}`);
  if (flags.calls) for (const one of most) console.log(`    ${one}`);
}
const { numTensors, numBytes } = tf.memory();
console.log(
  `${numTensors} tensors, ${gigabytes(numBytes)} after a step; resident at most ${gigabytes(1024 * process.resourceUsage().maxRSS)}`,
);
process.exit(0);
