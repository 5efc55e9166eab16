// Measures the R-Tagger R50 recorded on tensorflow for `npm run bench:tensorflow`, and prints a line of JSON for each task.
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../src/model/index.js';
import { ModelRunner } from '../../src/model/model-runner.js';
import { rTaggerR50 } from '../../src/model/presets.js';
import { RecordedPasses } from '../../src/model/recording/tensorflow/recorded-passes.js';
import { type Encoded, type LayerOutput, RlipV2 } from '../../src/model/rlip-v2.js';
import { LabelVectors } from '../../src/model/text/label-vectors.js';
import { AdamW, Ema, officialAdamW } from '../../src/training/index.js';
import { RecordedStep } from '../../src/training/recorded/recorded-step.js';
import { madeUpBatch, madeUpForward, madeUpTokenizer, setMadeUpWeights } from '../model/made-up-training.js';
import type { TaskTimes } from './tasks.js';

const [threads, rounds, ...tasks] = process.argv.slice(2) as [string, string, ...string[]];
await useBackend('tensorflow', { threads: Number(threads) });
const model = new RlipV2(rTaggerR50);
setMadeUpWeights(model.parameters.values());

/** The first round is a warm-up. Work that is short runs several times a round. */
async function measure(name: string, work: () => Promise<void>, times = 1): Promise<void> {
  const all: TaskTimes[] = [];
  for (let k = 0; k <= Number(rounds); k++) {
    const [start, used] = [performance.now(), process.cpuUsage()];
    for (let n = 0; n < times; n++) await work();
    const { user, system } = process.cpuUsage(used);
    all.push({ name, wall: (performance.now() - start) / times, processor: (user + system) / 1000 / times });
  }
  const least = (of: 'wall' | 'processor') => Math.min(...all.slice(1).map((one) => one[of]));
  console.log(JSON.stringify({ name, wall: least('wall'), processor: least('processor') } satisfies TaskTimes));
}

async function product(): Promise<void> {
  const [a, b] = [tf.randomNormal([1024, 1024]), tf.randomNormal([1024, 1024])];
  await measure(
    'product',
    async () => {
      const made = tf.matMul(a, b);
      await made.data();
      made.dispose();
    },
    10,
  );
}

async function labels(): Promise<void> {
  const names = madeUpBatch({ images: 1, height: 8, width: 8, isTagger: true }).labels;
  await measure('labels', async () => {
    const vectors = await LabelVectors.open(model, madeUpTokenizer);
    await vectors.of([...names.objects, ...names.relations]);
  });
}

/** Encodes an image of 800 × 1066, and decodes groups of 100 pairs; null encodes only. */
async function tagging(groups: number | null): Promise<void> {
  const [height, width] = [800, 1066];
  const { pixels, labels: names, noisy } = madeUpBatch({ images: 1, height, width, isTagger: true });
  const vectors = await LabelVectors.open(model, madeUpTokenizer);
  const runner = new ModelRunner({ model, vectors }, new RecordedPasses({ recordedRun: 1 }));
  const encode = () => runner.encode([{ height, width, pixels }], [names]);
  const free = (encoded: Encoded) => tf.dispose(encoded as unknown as tf.TensorContainer);
  if (groups === null) {
    await measure('encoder', async () => free(await encode()));
  } else {
    const encoded = await encode();
    const read = ({ relationLogits }: LayerOutput) => ({ logits: tf.clone(relationLogits) });
    const decode = async () => {
      const { outputs } = await runner.decode(encoded, [Array(groups).fill(noisy[0]!)], { name: 'logits', read });
      await outputs['logits']!.data();
      tf.dispose(outputs as tf.TensorContainer);
    };
    await measure(`decoders${groups}`, decode, 3);
    free(encoded);
  }
  runner.dispose();
}

async function step(): Promise<void> {
  const parameters = model.parameters;
  const recorded = new RecordedStep({
    forward: madeUpForward(model, true),
    ...{
      parameters,
      optimizer: new AdamW(parameters.values(), officialAdamW),
      ema: new Ema(parameters.values(), 0.9999),
    },
    ...{ emaDecay: 0.9999, batches: 1, hasDropout: true },
  });
  const batch = madeUpBatch({ images: 1, height: 480, width: 640, isTagger: true });
  let seed = 0;
  await measure('step', async () => {
    const pass = { seed: seed++, isLater: false, scheduleFactor: 1 };
    const { loss } = await recorded.run(batch, pass, async () => {});
    if (!Number.isFinite(loss) || !Number.isFinite(await recorded.update(1))) throw new Error(`loss ${loss}`);
  });
}

const work: Readonly<Record<string, () => Promise<void>>> = {
  ...{ product, labels, step, encoder: () => tagging(null) },
  ...{ decoders1: () => tagging(1), decoders4: () => tagging(4) },
};
for (const task of tasks) await work[task]!();
console.log(JSON.stringify({ resident: 1024 * process.resourceUsage().maxRSS }));
process.exit(0);
