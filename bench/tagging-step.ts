// npx tsx bench/tagging-step.ts: what encoding and decoding an image with a full-size model costs the host.
import * as tf from '@tensorflow/tfjs-core';
import { scriptFlags, wholeNumber } from '../scripts/script-flags.js';
import { BACKENDS } from '../src/model/backends/backend-names.js';
import { ModelRunner } from '../src/model/model-runner.js';
import { eagerPasses } from '../src/model/recording/model-passes.js';
import { RecordedPasses } from '../src/model/recording/tensorflow/recorded-passes.js';
import type { Encoded, LayerOutput } from '../src/model/rlip-v2.js';
import { LabelVectors } from '../src/model/text/label-vectors.js';
import { BindingCalls } from './model/binding-calls.js';
import { gigabytes } from './model/format-report.js';
import { FULL_SIZE_FLAGS, openFullSizeModel } from './model/full-size-model.js';
import { madeUpBatch, madeUpTokenizer } from './model/made-up-training.js';

const HELP = `usage: npx tsx bench/tagging-step.ts [--backend NAME] [--model tagger|parseda] [--height N] [--width N]
       [--images N] [--groups N] [--steps N] [--threads N] [--recorded] [--calls]

Encodes and decodes images with a full-size model (100 labels, groups of 100 pairs, made-up pixels and weights), and prints, for
each of the two, its time and, on tensorflow, the calls from JavaScript into the library.

  --backend NAME  ${BACKENDS.join(', ')} (default tensorflow)
  --model NAME    tagger (R-Tagger R50) or parseda (RLIPv2-ParSeDA R50), default tagger
  --height N      of the images in pixels (default 96)
  --width N       of the images in pixels (default 128)
  --images N      of a batch (default 1)
  --groups N      of pairs of an image (default 1)
  --steps N       after one warm-up step; the minimum is printed (default 3)
  --threads N     threads of the backend (default: the backend's)
  --recorded      on tensorflow, run recorded graphs
  --calls         list the most frequent operations
  --help          this text`;

const { flags, usage } = scriptFlags(HELP, { ...FULL_SIZE_FLAGS, groups: { type: 'string', default: '1' } });
const groups = wholeNumber(usage, 'groups', flags.groups);
if (flags.recorded && flags.backend !== 'tensorflow') usage('--recorded is for tensorflow');
const { backend, model, isTagger, height, width, images, steps } = await openFullSizeModel(flags, usage);
const vectors = await LabelVectors.open(model, madeUpTokenizer);
const passes = flags.recorded ? new RecordedPasses({ recordedRun: 1 }) : eagerPasses;
const runner = new ModelRunner({ model, vectors }, passes);
const batch = madeUpBatch({ images, height, width, isTagger: true });
const size = height * width * 3;
const prepared = Array.from({ length: images }, (_, k) => ({
  ...{ height, width, pixels: batch.pixels.slice(k * size, (k + 1) * size) },
}));
const labels = prepared.map(() => batch.labels);
const pairs = isTagger ? prepared.map((_, k) => Array.from({ length: groups }, () => batch.noisy[k]!)) : undefined;
const relations = batch.labels.relations.length;
const read = {
  name: 'relations',
  read: ({ relationLogits }: LayerOutput) => ({ logits: tf.slice(relationLogits, [0, 0, 0], [-1, -1, relations]) }),
};
const calls = BindingCalls.install();

interface Phase {
  readonly name: string;
  readonly milliseconds: number;
  readonly outside: number;
  readonly processor: number;
  readonly calls: string;
  readonly most: readonly string[];
}

const processorMilliseconds = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000;

async function phase<T>(name: string, phases: Phase[], run: () => Promise<T>): Promise<T> {
  calls?.reset();
  const [start, used] = [performance.now(), process.cpuUsage()];
  const result = await run();
  const milliseconds = performance.now() - start;
  phases.push({
    ...{ name, milliseconds, outside: milliseconds - (calls?.milliseconds ?? 0) },
    processor: processorMilliseconds(process.cpuUsage(used)),
    ...{ calls: calls?.line() ?? '', most: calls?.mostFrequent(12) ?? [] },
  });
  return result;
}

async function step(): Promise<Phase[]> {
  const phases: Phase[] = [];
  let encoded: Encoded | undefined;
  await phase('encode', phases, async () => {
    encoded = await runner.encode(prepared, labels);
    // Waits for a backend that computes later.
    await encoded.labels.at(-1)!.data();
  });
  const sum = await phase('decode', phases, async () => {
    const { outputs } = await runner.decode(encoded!, pairs, read);
    const values = (await outputs['logits']!.data()) as Float32Array;
    outputs['logits']!.dispose();
    return values.reduce((total, value) => total + value, 0);
  });
  await phase('free', phases, async () => tf.dispose(encoded as unknown as tf.TensorContainer));
  console.log(`sum of the logits ${sum}; ${phases.map((one) => one.milliseconds.toFixed(0)).join(', ')} ms`);
  return phases;
}

const all: Phase[][] = [];
for (let k = 0; k <= steps; k++) {
  const made = await step();
  if (k > 0) all.push(made);
}
console.log(`${flags.model}, ${images} x ${height} x ${width}, ${backend.name}, ${backend.threads} threads`);
for (const [k, { name, calls: line, most }] of all.at(-1)!.entries()) {
  const least = (of: 'milliseconds' | 'outside' | 'processor') => Math.min(...all.map((made) => made[k]![of]));
  const times = `${least('milliseconds').toFixed(0)} ms (${least('outside').toFixed(1)} outside of the library, ${least('processor').toFixed(0)} of processor time)`;
  console.log(`${name.padEnd(7)} ${times}   ${line}`);
  if (flags.calls) for (const one of most) console.log(`    ${one}`);
}
console.log(`resident at most ${gigabytes(1024 * process.resourceUsage().maxRSS)}`);
process.exit(0);
