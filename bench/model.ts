// npm run bench:model [-- --threads N] [--only kernels|tagger]: what the model costs on the wasm backend.
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../src/model/backends/use-backend.js';
import { rTaggerR50 } from '../src/model/config.js';
import { deformableAttention, plainDeformableAttention } from '../src/model/ops/deformable-attention.js';
import type { PairGroup } from '../src/model/queries.js';
import { type Encoded, RlipV2 } from '../src/model/rlip-v2.js';
import { initializeWeights } from '../src/model/weights/initialize.js';

const { values } = parseArgs({ options: { threads: { type: 'string' }, only: { type: 'string' } } });
const backend = await useBackend('wasm', values.threads ? { threads: Number(values.threads) } : {});
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
const unit = time(7, () => tf.matMul(a, b).dispose()).least;
console.log(`wasm, ${backend.threads} threads: 1024³ matrix product ${unit.toFixed(1)} ms`);

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
  const model = new RlipV2(rTaggerR50);
  initializeWeights(model.parameters, 1);
  const size = { height: 800, width: 1066 };
  const pixels = tf.randomNormal([1, size.height, size.width, 3], 0, 1, 'float32', 6) as tf.Tensor4D;
  const texts = 100;
  const ids = Int32Array.from({ length: texts * 4 }, (_, k) => [0, 500 + k, 600 + k, 2][k % 4]!);
  const started = performance.now();
  const vectors = tf.tidy(() => model.encodeTexts({ ids, texts, tokens: 4 }));
  await vectors.data();
  console.log(`label vectors of ${texts} texts, cold: ${seconds(started)}; cached they cost nothing`);
  const group: PairGroup = {
    subjectBoxes: Float32Array.from({ length: 400 }, (_, k) => 0.1 + (k % 7) / 10),
    objectBoxes: Float32Array.from({ length: 400 }, (_, k) => 0.1 + (k % 5) / 8),
    subjectLabels: Int32Array.from({ length: 100 }, (_, k) => k % 80),
    objectLabels: Int32Array.from({ length: 100 }, (_, k) => (7 * k) % 80),
  };
  const encoding = performance.now();
  const encoded = tf.tidy(
    () => model.encode({ pixels, sizes: [size] }, { vectors, objects: 81 }) as unknown as tf.TensorContainer,
  ) as unknown as Encoded;
  await encoded.memory.data();
  console.log(`backbone and encoder, ${size.height} × ${size.width}: ${seconds(encoding)}`);
  for (const groups of [1, 4, 16]) {
    const decoding = performance.now();
    const scores = tf.tidy(() => {
      const layers = model.decode(encoded, { groups: Array.from({ length: groups }, () => group) });
      return layers[layers.length - 1]!.relationLogits;
    });
    await scores.data();
    scores.dispose();
    console.log(`decoders, ${groups} groups of 100 pairs: ${seconds(decoding)}`);
  }
  const { HEAPU8 } = (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm;
  const resident = process.resourceUsage().maxRSS / 1e6;
  console.log(`heap of the backend ${(HEAPU8.length / 1e9).toFixed(2)} GB, resident at most ${resident.toFixed(2)} GB`);
}
process.exit(0);

function seconds(since: number): string {
  const passed = performance.now() - since;
  return `${(passed / 1000).toFixed(1)} s, ${Math.round(passed / unit)} matrix products`;
}
