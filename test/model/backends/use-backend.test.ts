import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { nativePackage } from '../../../src/model/backends/start-native-backend.js';
import { missingWebgpuPackages } from '../../../src/model/backends/start-webgpu-backend.js';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { assertClose } from '../../support/tensors.js';

describe('useBackend', () => {
  after(() => useBackend('wasm', { threads: 1 }));

  it('rejects an unknown name and an invalid number of threads', () => {
    assert.throws(() => useBackend('gpu' as 'cpu'), {
      message: "backend: unknown backend 'gpu', expected auto, tensorflow, webgpu, wasm, cpu",
    });
    assert.throws(() => useBackend('wasm', { threads: 0 }), {
      message: 'backend: threads 0, expected a whole number from 1 to 64',
    });
  });

  it('names the packages that a backend lacks, and can start another one afterwards', async () => {
    if (missingWebgpuPackages().length === 2)
      await assert.rejects(useBackend('webgpu'), {
        code: 'no-backend',
        message:
          'backend webgpu: install @tensorflow/tfjs-backend-webgpu and webgpu next to relflow, see docs/backends.md',
      });
    if (nativePackage() === undefined)
      await assert.rejects(useBackend('tensorflow'), {
        code: 'no-backend',
        message:
          'backend tensorflow: install @tensorflow/tfjs-node or @tensorflow/tfjs-node-gpu next to relflow, see docs/backends.md',
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

  it('selects tensorflow for auto if its package is installed, otherwise wasm', async () => {
    assert.equal((await useBackend('auto', { threads: 1 })).name, nativePackage() ? 'tensorflow' : 'wasm');
  });
});
