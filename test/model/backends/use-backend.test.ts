import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { nativePackage } from '../../../src/model/backends/start-native-backend.js';
import { missingWebgpuPackages } from '../../../src/model/backends/start-webgpu-backend.js';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { deformableAttention, referenceDeformableAttention } from '../../../src/model/ops/deformable-attention.js';
import { assertClose, randomTensors } from '../../support/tensors.js';

const random = randomTensors(3);

describe('backends', function () {
  this.timeout(60_000);
  after(() => useBackend('wasm', { threads: 1 }));

  it('a name that is none, and threads that are none, are refused', () => {
    assert.throws(() => useBackend('gpu' as 'cpu'), {
      message: "backend: unknown backend 'gpu', expected auto, tensorflow, webgpu, wasm, cpu",
    });
    assert.throws(() => useBackend('wasm', { threads: 0 }), {
      message: 'backend: threads 0, expected a whole number from 1 to 64',
    });
  });

  it('one that is not there says what it needs, and the next one starts', async () => {
    if (missingWebgpuPackages().length === 2)
      await assert.rejects(useBackend('webgpu'), {
        code: 'no-backend',
        message:
          'backend webgpu: needs @tensorflow/tfjs-backend-webgpu and webgpu beside relflow, see docs/backends.md',
      });
    if (nativePackage() === undefined)
      await assert.rejects(useBackend('tensorflow'), {
        code: 'no-backend',
        message:
          'backend tensorflow: needs @tensorflow/tfjs-node or @tensorflow/tfjs-node-gpu beside relflow, see docs/backends.md',
      });
    assert.equal((await useBackend('wasm', { threads: 1 })).name, 'wasm');
  });

  it('runs the stock kernels of the new backend after wasm is started again', async () => {
    for (const threads of [1, 2, 1]) {
      await useBackend('wasm', { threads });
      const [x, rows] = [tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor1d([1], 'int32')];
      assertClose(await tf.gather(x, rows, 1).data(), [2, 4]);
      assertClose(await tf.sum(tf.cast(x, 'int32'), 0).data(), [4, 6]);
    }
  });

  it('auto is TensorFlow’s library where it is installed, else wasm', async () => {
    assert.equal((await useBackend('auto', { threads: 1 })).name, nativePackage() ? 'tensorflow' : 'wasm');
  });

  it('the fused deformable attention beside TensorFlow’s library agrees with the reference, backwards too', async function () {
    if (nativePackage() !== '@tensorflow/tfjs-node') {
      console.log('      skipped: @tensorflow/tfjs-node is not here');
      this.skip();
    }
    await useBackend('tensorflow');
    const levels = [
      { height: 7, width: 5 },
      { height: 3, width: 4 },
    ];
    const inputs = [
      random([2, 47, 3, 5]),
      tf.add(tf.mul(random([2, 11, 3, 2, 3, 2]), 0.4), 0.5),
      random([2, 11, 3, 2, 3]),
    ];
    const factors = random([2, 11, 15]);
    const run = (f: typeof deformableAttention) =>
      tf.valueAndGrads((...[v, l, w]: tf.Tensor[]) =>
        tf.sum(tf.mul(f(v as tf.Tensor4D, levels, l as tf.Tensor<tf.Rank.R6>, w as tf.Tensor5D), factors)),
      )(inputs);
    const [fused, plain] = [run(deformableAttention), run(referenceDeformableAttention)];
    assertClose(await fused.value.data(), await plain.value.data(), 1e-4);
    for (const [k, gradient] of plain.grads.entries())
      assertClose(await fused.grads[k]!.data(), await gradient.data(), 1e-4);
  });
});
