import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import type { PreparedImage } from '../../../src/model/image/prepare-image.js';
import { ModelRunner } from '../../../src/model/model-runner.js';
import { tiny } from '../../../src/model/presets.js';
import { dataTensor } from '../../../src/model/recording/data-tensor.js';
import { eagerPasses } from '../../../src/model/recording/model-passes.js';
import { ReplayedPasses } from '../../../src/model/recording/webgpu/replayed-passes.js';
import { RlipV2 } from '../../../src/model/rlip-v2.js';
import { LabelVectors } from '../../../src/model/text/label-vectors.js';
import { initializeWeights } from '../../../src/model/weights/initialize-weights.js';
import { assertAgree } from '../../support/tensors.js';
import { webgpuOrSkip } from '../../support/webgpu.js';

describe('ReplayedPasses', function () {
  // A software device compiles some hundred programs.
  this.timeout(600_000);

  before(async function () {
    await webgpuOrSkip(this);
  });
  after(() => useBackend('wasm', { threads: 1 }));

  it('record what comes again, with other data, given tensors and weights, and keep outputs of earlier runs', async () => {
    await useBackend('webgpu');
    const { numTensors } = tf.memory();
    const passes = new ReplayedPasses();
    const weights = [tf.tensor1d([1, 2]), tf.tensor1d([10, 20])] as const;
    const weight = tf.variable(weights[0]);
    const outputs: tf.Tensor[] = [];
    for (const k of [1, 2, 3, 4]) {
      if (k === 4) weight.assign(weights[1]);
      const x = tf.tensor1d([k, -k]);
      const y = () => dataTensor<tf.Tensor1D>('y', Float32Array.of(k, 100), [2]);
      const run = () => ({ sum: tf.add(tf.mul(x, weight), y()) });
      const { sum } = await passes.run({ key: 'sum', given: { x }, collectData: () => void y(), run });
      outputs.push(sum!);
      x.dispose();
    }
    assert.equal(passes.warmUp.recordings, 1);
    const numbers = await Promise.all(outputs.map(async (output) => [...(await output.data())]));
    assert.deepEqual(numbers, [
      [2, 98],
      [4, 96],
      [6, 94],
      [44, 20],
    ]);
    tf.dispose([weight, ...weights, ...outputs]);
    passes.dispose();
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it('give a tagger its eager scores', async () => {
    await useBackend('webgpu');
    const config = { ...tiny.tagger, encoderLayers: 1, decoderLayers: 1 };
    const model = new RlipV2(config);
    initializeWeights(model.parameters, 1);
    const vectors = await LabelVectors.open(model, { encode: (name) => [0, 5 + name.length, 6, 2] });
    const loaded = { model, vectors };
    const runners = [eagerPasses, new ReplayedPasses()].map((passes) => new ModelRunner(loaded, passes));
    const image = (seed: number) =>
      ({
        ...{ height: 64, width: 96 },
        pixels: Float32Array.from({ length: 64 * 96 * 3 }, (_, k) => Math.sin(k * seed)),
      }) as unknown as PreparedImage;
    const boxes = (x: number) => Float32Array.of(x, 0.4, 0.3, 0.2, 0.5, x, 0.2, 0.3);
    const labels = { objects: ['cat', 'a dog', 'no objects'], relations: ['on', 'next to'] };
    for (const seed of [1, 2, 3]) {
      const indices = Int32Array.of(0, 1);
      const pairs = { subjectLabels: indices, objectLabels: indices.toReversed(), subjectBoxes: boxes(seed / 5) };
      const scores = await Promise.all(
        runners.map(async (runner) => {
          const encoded = await runner.encode([image(seed)], [labels]);
          const read = {
            name: 'relations',
            read: (last: { relationLogits: tf.Tensor }) => ({ x: last.relationLogits }),
          };
          const { outputs } = await runner.decode(encoded, [[{ ...pairs, objectBoxes: boxes(0.3) }]], read);
          return tf.slice(outputs['x']!, [0, 0, 0], [1, 2, 2]);
        }),
      );
      await assertAgree(scores[1]!, scores[0]!);
    }
    assert.equal(runners[1]!.warmUp.recordings, 2);
    for (const runner of runners) runner.dispose();
    model.dispose();
  });
});
