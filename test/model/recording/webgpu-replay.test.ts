import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { tiny } from '../../../src/model/presets.js';
import { dataTensor } from '../../../src/model/recording/data-tensor.js';
import { recordKernels } from '../../../src/model/recording/record-kernels.js';
import { planBuffers } from '../../../src/model/recording/webgpu/plan-buffers.js';
import { SharedBuffers } from '../../../src/model/recording/webgpu/shared-buffers.js';
import {
  type GpuBackend,
  type GpuBuffer,
  NUMBER_BYTES,
  STORAGE,
} from '../../../src/model/recording/webgpu/webgpu-device.js';
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

describe('SharedBuffers', () => {
  it('gives two plans the same buffers, and makes those that are missing', () => {
    let made = 0;
    const shared = new SharedBuffers({
      createBuffer: ({ size }) => {
        made++;
        return { size, destroy: () => {} };
      },
    });
    const sizes = (asked: number[]) => shared.take(asked).map(({ size }) => size);
    assert.deepEqual(sizes([100, 40, 10]), [100, 40, 10]);
    assert.deepEqual(sizes([60, 30]), [100, 40]);
    assert.deepEqual(sizes([120, 80, 20, 5]), [120, 100, 40, 10]);
    assert.deepEqual([made, shared.bytes], [4, 270]);
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

  it('puts outputs into buffers of the caller, also two that are one array', async () => {
    await useBackend('webgpu');
    const { device } = tf.backend() as unknown as GpuBackend;
    const weight = tf.variable(tf.tensor1d([1, 2, 3]));
    const { recording } = recordKernels({ target: 'webgpu' }, () => {
      const next = tf.mul(tf.add(weight, 1), 2);
      return { next, same: tf.reshape(next, [3, 1]), weight: tf.clone(weight), sum: tf.sum(weight) };
    });
    const buffers = ['next', 'same', 'weight'].map(
      (name) => [name, device.createBuffer({ size: 12, usage: STORAGE })] as const,
    );
    const replay = new WebgpuReplay(recording, { places: new Map(buffers) });
    const outputs = replay.run(new Map());
    assert.deepEqual(Object.keys(outputs), ['sum']);
    assert.deepEqual(await numbersOf(outputs['sum']!), [6]);
    const placed = await Promise.all(buffers.map(([, buffer]) => bufferNumbers(buffer)));
    assert.deepEqual(placed, [
      [4, 6, 8],
      [4, 6, 8],
      [1, 2, 3],
    ]);
    const wrong = new Map([['sum', buffers[0]![1]]]);
    assert.throws(() => new WebgpuReplay(recording, { places: wrong }), /output 'sum' has 4 bytes, expected 12 bytes/);
    replay.dispose();
    for (const [, buffer] of buffers) buffer.destroy();
    weight.dispose();
  });

  it('runs in two parts, the second of which is given data that depend on outputs of the first', async () => {
    await useBackend('webgpu');
    const { recording } = recordKernels({ target: 'webgpu' }, () => {
      const x = dataTensor('x', Float32Array.of(0, 0), [2]);
      const doubled = tf.mul(x, 2);
      return { doubled, all: tf.add(tf.square(doubled), dataTensor('y', Float32Array.of(0, 0), [2])) };
    });
    const shared = new SharedBuffers((tf.backend() as unknown as GpuBackend).device);
    const replay = new WebgpuReplay(recording, { late: new Set(['y']), shared });
    for (const x of [1, 3]) {
      const { doubled } = replay.begin(new Map([['x', Float32Array.of(x, x)]]), ['doubled']);
      const [found] = await numbersOf(doubled!);
      const { all } = replay.end(new Map([['y', Float32Array.of(found!, 0)]]));
      assert.deepEqual(await numbersOf(all!), [4 * x * x + 2 * x, 4 * x * x]);
    }
    const early = new Map([['x', Float32Array.of(1, 1)]]);
    assert.throws(() => replay.begin(early, ['all']), /the output all depends on data that are given later/);
    replay.dispose();
    shared.dispose();
  });
});

/** Reads and disposes of a tensor. */
async function numbersOf(tensor: tf.Tensor): Promise<number[]> {
  const numbers = [...(await tensor.data())];
  tensor.dispose();
  return numbers;
}

const bufferNumbers = (buffer: GpuBuffer): Promise<number[]> => {
  const shape = [buffer.size / NUMBER_BYTES];
  const backend = tf.backend() as unknown as GpuBackend;
  return numbersOf(backend.createTensorFromGPUData({ buffer, zeroCopy: true }, shape, 'float32'));
};
