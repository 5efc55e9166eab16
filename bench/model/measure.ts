// Measures one backend for `npm run bench:model`: prints each measurement and sends all of them to the parent process.
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { BackendName } from '../../src/model/backends/backend-names.js';
import { useBackend } from '../../src/model/backends/use-backend.js';
import { deformableAttention, referenceDeformableAttention } from '../../src/model/ops/deformable-attention.js';
import { rTaggerR50, tiny } from '../../src/model/presets.js';
import type { PairGroup } from '../../src/model/query-source.js';
import { type Encoded, RlipV2 } from '../../src/model/rlip-v2.js';
import { LabelVectors } from '../../src/model/text/label-vectors.js';
import { initializeWeights } from '../../src/model/weights/initialize-weights.js';
import { finished } from './finished.js';
import { type BackendMeasurements, decoding, ENCODING, type Measurement } from './format-report.js';
import { KernelTimes } from './kernel-times.js';
import { programLines, programTimes } from './program-times.js';

const { values } = parseArgs({
  options: {
    backend: { type: 'string' },
    threads: { type: 'string' },
    only: { type: 'string' },
    profile: { type: 'boolean' },
    small: { type: 'boolean' },
  },
});
const backend = await useBackend(
  (values.backend ?? 'wasm') as BackendName,
  values.threads ? { threads: Number(values.threads) } : {},
);
const gpu = backend.name === 'webgpu';
// The threads of the backend start asynchronously.
await new Promise((resolve) => setTimeout(resolve, 500));

const measurements: Measurement[] = [];
/** Prints a measurement, and sends all measurements so far, because a later one may crash the process. */
function report(one: Measurement): void {
  measurements.push(one);
  process.send?.(currentResults());
  const share = one.share === undefined ? '' : `, ${Math.round(100 * one.share)} % of the rate of its matrix product`;
  const speedup =
    one.speedup === undefined ? '' : `, ${one.speedup.toFixed(1)} times as fast as the reference implementation`;
  console.error(`${backend.name}: ${one.name}: ${one.milliseconds.toFixed(1)} ms${share}${speedup}`);
}

/** Minimum time for which a step of the tagger is repeated, in milliseconds: JavaScript code is optimized when it runs often. */
const MIN_STEP_TIME = 2000;

/** Minimum duration of a round in milliseconds, so that the computation outweighs the cost of waiting for a GPU. */
const MIN_ROUND_TIME = 20;

/** Returns the minimum time of some work over several rounds, in milliseconds, after one warm-up round that compiles programs. */
async function time(rounds: number, work: () => void): Promise<number> {
  const round = async (count: number) => {
    const start = performance.now();
    for (let k = 0; k < count; k++) work();
    await finished();
    return (performance.now() - start) / count;
  };
  await round(1);
  let count = 1;
  let fastest = await round(1);
  for (let k = 1; k < rounds; k++) {
    count = Math.max(count, Math.ceil(MIN_ROUND_TIME / fastest));
    fastest = Math.min(fastest, await round(count));
  }
  return fastest;
}

/** Rows and columns of the factors of the unit. */
const edge = values.small ? 128 : 1024;
const [a, b] = [1, 2].map((seed) => tf.randomNormal([edge, edge], 0, 1, 'float32', seed)) as [tf.Tensor, tf.Tensor];
/** Time of the matrix product that serves as the unit, in milliseconds; measured repeatedly, since other load changes it. */
const measureUnit = () => time(5, () => tf.matMul(a, b).dispose());
const unit = await measureUnit();
report({ name: `${edge}³ matrix product`, milliseconds: unit, unit });

if (values.only !== 'tagger') await measureAttention();
if (values.only !== 'kernels') await measureTagger();
if (process.send) process.send(currentResults(), () => process.exit(0));
else process.exit(0);

function currentResults(): BackendMeasurements {
  const { wasm } = tf.backend() as unknown as { wasm?: { HEAPU8: Uint8Array } };
  const { numBytesAllocatedInGPU } = tf.memory() as { numBytesAllocatedInGPU?: number };
  return {
    backend: backend.name,
    threads: backend.threads,
    measurements,
    resident: 1024 * process.resourceUsage().maxRSS,
    ...(backend.adapter !== undefined && { adapter: backend.adapter }),
    ...(wasm && { heap: wasm.HEAPU8.length }),
    ...(gpu && numBytesAllocatedInGPU !== undefined && { device: numBytesAllocatedInGPU }),
  };
}

/** Compares the deformable attention kernel with its reference implementation. */
async function measureAttention(): Promise<void> {
  const levels = [
    { height: 100, width: 134 },
    { height: 50, width: 67 },
    { height: 25, width: 34 },
    { height: 13, width: 17 },
  ];
  const tokens = levels.reduce((sum, { height, width }) => sum + height * width, 0);
  const value = tf.randomNormal([1, tokens, 8, 32], 0, 1, 'float32', 3) as tf.Tensor4D;
  const locations = tf.randomUniform([1, 1000, 8, 4, 4, 2], 0, 1, 'float32', 4) as tf.Tensor<tf.Rank.R6>;
  const weights = tf.randomUniform([1, 1000, 8, 4, 4], 0, 1, 'float32', 5) as tf.Tensor5D;
  const measure = async (f: typeof deformableAttention, rounds: number) => ({
    forward: await time(rounds, () => tf.tidy(() => void f(value, levels, locations, weights))),
    'forward and backward': await time(rounds, () =>
      tf.dispose(
        tf.grads((v: tf.Tensor, l: tf.Tensor, w: tf.Tensor) =>
          tf.sum(f(v as tf.Tensor4D, levels, l as tf.Tensor<tf.Rank.R6>, w as tf.Tensor5D)),
        )([value, locations, weights]),
      ),
    ),
  });
  const fused = await measure(deformableAttention, 5);
  const reference = await measure(referenceDeformableAttention, 1);
  for (const part of ['forward', 'forward and backward'] as const)
    report({
      name: `deformable attention, 1000 queries, ${part}`,
      milliseconds: fused[part],
      unit,
      speedup: reference[part] / fused[part],
    });
  tf.dispose([value, locations, weights]);
}

/** Measures the full-size R-Tagger on an image, step by step; with `--small` a tiny one on a small image, by the same names. */
async function measureTagger(): Promise<void> {
  const times = new KernelTimes();
  const step = async <T>(name: string, run: () => Promise<T>, discard: (result: T) => void): Promise<T> => {
    const timed = async () => {
      times.reset();
      const start = performance.now();
      const result = await run();
      await finished();
      return { result, milliseconds: performance.now() - start };
    };
    // On a GPU the first run compiles the programs.
    const first = gpu ? await timed() : undefined;
    if (first) discard(first.result);
    const before = await measureUnit();
    let { result, milliseconds } = await timed();
    for (let elapsed = milliseconds; elapsed < MIN_STEP_TIME; ) {
      discard(result);
      const again = await timed();
      result = again.result;
      milliseconds = Math.min(milliseconds, again.milliseconds);
      elapsed += again.milliseconds;
    }
    const { products } = times;
    const profile = gpu ? [] : times.lines(12);
    if (gpu && values.profile) {
      const programs = await programTimes(async () => discard(await run()));
      profile.push(...programLines(programs, 12));
    }
    const own = (before + (await measureUnit())) / 2;
    const share = (products / milliseconds) * (own / edge ** 3);
    report({ name, milliseconds, unit: own, share, profile, ...(first && { first: first.milliseconds }) });
    return result;
  };
  const { tagger } = tiny;
  const small = { ...tagger, pairs: rTaggerR50.pairs, text: { ...tagger.text, vocabulary: 1000 } };
  const model = new RlipV2(values.small ? small : rTaggerR50);
  initializeWeights(model.parameters, 1);
  const size = values.small ? { height: 96, width: 128 } : { height: 800, width: 1066 };
  const pixels = tf.randomNormal([1, size.height, size.width, 3], 0, 1, 'float32', 6) as tf.Tensor4D;
  const names = Array.from({ length: 100 }, (_, k) => `${k}`);
  const open = () => LabelVectors.open(model, { encode: (name) => [0, 500 + Number(name), 600 + Number(name), 2] });
  const nothing = () => {};
  const cold = async () => {
    const labels = await open();
    return { labels, vectors: await labels.of(names) };
  };
  const { labels, vectors } = await step('100 label vectors, cold', cold, nothing);
  const start = performance.now();
  await labels.of(names);
  report({ name: '100 label vectors, cached', milliseconds: performance.now() - start, unit });
  const encoded = await step(
    ENCODING,
    async () =>
      tf.tidy(() => {
        const all = { vectors: tf.tensor2d(vectors, [names.length, vectors.length / names.length]), objectCount: 81 };
        return model.encode({ pixels, sizes: [size] }, all) as unknown as tf.TensorContainer;
      }) as unknown as Encoded,
    (result) => tf.dispose(result as unknown as tf.TensorContainer),
  );
  const group: PairGroup = {
    subjectBoxes: Float32Array.from({ length: 400 }, (_, k) => 0.1 + (k % 7) / 10),
    objectBoxes: Float32Array.from({ length: 400 }, (_, k) => 0.1 + (k % 5) / 8),
    subjectLabels: Int32Array.from({ length: 100 }, (_, k) => k % 80),
    objectLabels: Int32Array.from({ length: 100 }, (_, k) => (7 * k) % 80),
  };
  for (const groups of values.small ? [1, 4] : [1, 4, 16])
    await step(
      decoding(groups),
      async () => {
        const scores = tf.tidy(() => {
          const layers = model.decode(encoded, { groups: Array.from({ length: groups }, () => group) });
          return layers[layers.length - 1]!.relationLogits;
        });
        await scores.data();
        scores.dispose();
      },
      nothing,
    );
}
