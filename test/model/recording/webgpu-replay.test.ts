import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { tiny } from '../../../src/model/presets.js';
import { recordKernels } from '../../../src/model/recording/record-kernels.js';
import { planBuffers } from '../../../src/model/recording/webgpu/plan-buffers.js';
import { WebgpuReplay } from '../../../src/model/recording/webgpu/webgpu-replay.js';
import { RlipV2 } from '../../../src/model/rlip-v2.js';
import { initializeWeights } from '../../../src/model/weights/initialize-weights.js';
import { lossAndGradients } from '../../support/loss-and-gradients.js';
import { assertAgree } from '../../support/tensors.js';
import { randomBatch } from '../../support/training-batches.js';
import { webgpuOrSkip } from '../../support/webgpu.js';

/** A tagger with as few programs as its parts allow: a software device compiles each for a tenth of a second or more. */
const smallestTagger = {
  ...tiny.tagger,
  encoderLayers: 1,
  decoderLayers: 1,
  text: { ...tiny.tagger.text, layers: 1 },
};

describe('planBuffers', () => {
  it('gives arrays of disjoint lifetimes one buffer, and never one to two that a program uses', () => {
    const arrays = [
      { bytes: 100, first: 0, last: 1 },
      { bytes: 40, first: 1, last: 2 },
      { bytes: 90, first: 2, last: 3 },
      { bytes: 30, first: 3, last: 3 },
      { bytes: 10, first: 0, last: 3 },
    ];
    const { buffers, bufferOf } = planBuffers(arrays);
    assert.deepEqual(buffers, [100, 40, 10]);
    assert.deepEqual(bufferOf, [0, 1, 0, 1, 2]);
  });

  it('has no overlap for random lifetimes, and a large enough buffer for each array', () => {
    let state = 3;
    const random = (count: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * count);
    };
    const arrays = Array.from({ length: 300 }, () => {
      const first = random(200);
      return { bytes: 4 * random(50), first, last: first + random(20) };
    });
    const { buffers, bufferOf } = planBuffers(arrays);
    for (const [k, a] of arrays.entries()) {
      assert.ok(buffers[bufferOf[k]!]! >= a.bytes);
      for (const [other, b] of arrays.entries())
        if (other !== k && bufferOf[other] === bufferOf[k]) assert.ok(a.last < b.first || b.last < a.first);
    }
  });
});

describe('WebgpuReplay', () => {
  before(async function () {
    await webgpuOrSkip(this);
  });
  after(() => useBackend('wasm', { threads: 1 }));

  it("gives the eager step's loss and gradients for every batch, in less than half of its memory", async function () {
    // A software device compiles some hundred programs.
    this.timeout(600_000);
    const target = 'webgpu';
    await useBackend(target);
    const { numTensors } = tf.memory();
    const model = new RlipV2(smallestTagger);
    initializeWeights(model.parameters, 1);
    const [first, second] = [randomBatch(1), randomBatch(2, { pairs: [4, 1] })];
    const a = recordKernels({ target }, () => lossAndGradients(model, first));
    const b = recordKernels({ target }, () => lossAndGradients(model, second));
    const replay = new WebgpuReplay(a.recording);
    const allocated = () => (tf.memory() as unknown as { numBytesAllocatedInGPU: number }).numBytesAllocatedInGPU;
    const before = allocated();
    const check = async (batch: typeof first, data: typeof a.data) => {
      const eager = lossAndGradients(model, batch);
      const eagerBytes = allocated() - before;
      const replayed = replay.run(data);
      assert.deepEqual(Object.keys(replayed), Object.keys(eager));
      for (const [name, tensor] of Object.entries(eager)) await assertAgree(replayed[name]!, tensor);
      tf.dispose([eager, replayed]);
      return eagerBytes;
    };
    const eagerBytes = await check(first, a.data);
    assert.ok(replay.memory.bytes < eagerBytes / 2, `${replay.memory.bytes} bytes, eagerly ${eagerBytes}`);
    await check(second, b.data);
    // Weights are read anew, also from other buffers.
    initializeWeights(model.parameters, 2);
    await check(first, a.data);
    assert.throws(() => replay.run(new Map()), /data .* has no bytes, expected/);
    replay.dispose();
    model.dispose();
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it('updates tensors in place, which the next run reads', async () => {
    await useBackend('webgpu');
    const weight = tf.variable(tf.tensor1d([1, 2, 3]));
    const { recording } = recordKernels({ target: 'webgpu' }, () => ({
      next: tf.mul(tf.add(weight, 1), 2),
      sum: tf.sum(weight),
    }));
    const replay = new WebgpuReplay(recording, new Map([['next', weight]]));
    const { sum } = replay.run(new Map());
    assert.deepEqual([...(await sum!.data())], [6]);
    const again = replay.run(new Map());
    assert.deepEqual([...(await again['sum']!.data())], [18]);
    assert.deepEqual([...(await weight.data())], [10, 14, 18]);
    assert.throws(() => new WebgpuReplay(recording, new Map([['sum', weight]])), /the update 'sum' is of 1 numbers/);
    replay.dispose();
    tf.dispose([sum!, again['sum']!, weight]);
  });
});
