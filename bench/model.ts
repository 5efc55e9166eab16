// npm run bench:model [-- --threads N] [--only kernels|tagger] [--backend NAME] [--profile]: what the model costs.
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { BackendName } from '../src/model/backends/backend-names.js';
import { useBackend } from '../src/model/backends/use-backend.js';
import { rTaggerR50 } from '../src/model/config.js';
import { deformableAttention, plainDeformableAttention } from '../src/model/ops/deformable-attention.js';
import type { PairGroup } from '../src/model/queries.js';
import { type Encoded, RlipV2 } from '../src/model/rlip-v2.js';
import { initializeWeights } from '../src/model/weights/initialize.js';
import { KernelTimes } from './kernel-times.js';

const { values } = parseArgs({
  options: {
    backend: { type: 'string' },
    threads: { type: 'string' },
    only: { type: 'string' },
    profile: { type: 'boolean' },
  },
});
const backend = await useBackend(
  (values.backend ?? 'wasm') as BackendName,
  values.threads ? { threads: Number(values.threads) } : {},
);
// Threads start beside the first kernels.
await new Promise((resolve) => setTimeout(resolve, 500));

/** Least and median milliseconds of some rounds. */
function time(rounds: number, work: () => void): { least: number; median: number } {
  work();
  const all = Array.from({ length: rounds }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return { least: all[0]!, median: all[rounds >> 1]! };
}

const [a, b] = [tf.randomNormal([1024, 1024], 0, 1, 'float32', 1), tf.randomNormal([1024, 1024], 0, 1, 'float32', 2)];
/** Milliseconds of the matrix product that all else is measured with; a busy machine needs it anew at times. */
const measureUnit = () => time(7, () => tf.matMul(a, b).dispose()).least;
const unit = measureUnit();
console.log(`${backend.name}, ${backend.threads} threads: 1024³ matrix product ${unit.toFixed(1)} ms`);

if (values.only !== 'tagger') {
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
  const measure = (f: typeof deformableAttention) => ({
    forward: time(3, () => f(value, levels, locations, weights).dispose()).least,
    both: time(3, () =>
      tf.dispose(
        tf.grads((v: tf.Tensor, l: tf.Tensor, w: tf.Tensor) =>
          tf.sum(f(v as tf.Tensor4D, levels, l as tf.Tensor<tf.Rank.R6>, w as tf.Tensor5D)),
        )([value, locations, weights]),
      ),
    ).least,
  });
  const fused = measure(deformableAttention);
  const plain = tf.tidy(() => measure(plainDeformableAttention));
  for (const part of ['forward', 'both'] as const)
    console.log(
      `deformable attention, 1000 queries, ${part}: fused ${fused[part].toFixed(1)} ms, gathers ${plain[part].toFixed(1)} ms, ${(plain[part] / fused[part]).toFixed(1)} times`,
    );
  tf.dispose([value, locations, weights]);
}

if (values.only !== 'kernels') {
  const times = new KernelTimes();
  /** Runs a step and says how long it took, and which part of the matrix product's rate its products reach. */
  const step = async <T extends tf.TensorContainer>(name: string, run: () => T, wait: (made: T) => tf.Tensor) => {
    const before = measureUnit();
    times.reset();
    const start = performance.now();
    const made = tf.tidy(run);
    await wait(made).data();
    const passed = performance.now() - start;
    const [products, lines] = [times.products, times.lines(12)];
    const unit = (before + measureUnit()) / 2;
    const share = (products / passed) * (unit / 1024 ** 3);
    console.log(
      `${name}: ${(passed / 1000).toFixed(1)} s, ${Math.round(passed / unit)} matrix products of ${unit.toFixed(0)} ms; ${(products / 1e9).toFixed(1)} G multiplications at ${Math.round(100 * share)} % of the rate of the matrix product`,
    );
    if (values.profile) for (const line of lines) console.log(line);
    return made;
  };
  const model = new RlipV2(rTaggerR50);
  initializeWeights(model.parameters, 1);
  const size = { height: 800, width: 1066 };
  const pixels = tf.randomNormal([1, size.height, size.width, 3], 0, 1, 'float32', 6) as tf.Tensor4D;
  const texts = 100;
  const ids = Int32Array.from({ length: texts * 4 }, (_, k) => [0, 500 + k, 600 + k, 2][k % 4]!);
  const vectors = await step(
    `label vectors of ${texts} texts, cold (cached they cost nothing)`,
    () => model.encodeTexts({ ids, texts, tokens: 4 }),
    (made) => made,
  );
  const group: PairGroup = {
    subjectBoxes: Float32Array.from({ length: 400 }, (_, k) => 0.1 + (k % 7) / 10),
    objectBoxes: Float32Array.from({ length: 400 }, (_, k) => 0.1 + (k % 5) / 8),
    subjectLabels: Int32Array.from({ length: 100 }, (_, k) => k % 80),
    objectLabels: Int32Array.from({ length: 100 }, (_, k) => (7 * k) % 80),
  };
  const encoded = (await step(
    `backbone and encoder, ${size.height} × ${size.width}, 81 + 19 texts`,
    () => model.encode({ pixels, sizes: [size] }, { vectors, objects: 81 }) as unknown as tf.TensorContainerObject,
    (made) => made['memory'] as tf.Tensor,
  )) as unknown as Encoded;
  for (const groups of [1, 4, 16]) {
    const scores = await step(
      `decoders, ${groups} ${groups === 1 ? 'group' : 'groups'} of 100 pairs`,
      () => {
        const layers = model.decode(encoded, { groups: Array.from({ length: groups }, () => group) });
        return layers[layers.length - 1]!.relationLogits;
      },
      (made) => made,
    );
    scores.dispose();
  }
  const { wasm } = tf.backend() as unknown as { wasm?: { HEAPU8: Uint8Array } };
  const heap = wasm ? `heap of the backend ${(wasm.HEAPU8.length / 1e9).toFixed(2)} GB, ` : '';
  console.log(`${heap}resident at most ${(process.resourceUsage().maxRSS / 1e6).toFixed(2)} GB`);
}
process.exit(0);
