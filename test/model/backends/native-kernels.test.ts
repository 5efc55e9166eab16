import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { backendOrSkip } from '../../support/backends.js';
import { assertClose, randomTensors } from '../../support/tensors.js';

const random = randomTensors(7);

describe('kernels of the backend tensorflow', () => {
  before(async function () {
    await backendOrSkip(this, 'tensorflow');
  });
  after(() => useBackend('wasm', { threads: 1 }));

  /** Counts the reads from the library while a function runs. */
  function reads(run: () => void): number {
    const backend = tf.backend() as tf.KernelBackend;
    const { readSync } = backend;
    let count = 0;
    backend.readSync = (id) => {
      count++;
      return readSync.call(backend, id);
    };
    try {
      run();
    } finally {
      backend.readSync = readSync;
    }
    return count;
  }

  it('gather, its gradient and the gradient of a ReLU read nothing back', async () => {
    const [x, indices] = [random([6, 3]), tf.cast(tf.tensor1d([5, 0, 5]), 'int32')];
    let gathered: tf.Tensor | undefined;
    let gradient: tf.Tensor | undefined;
    const count = reads(() => {
      gathered = tf.gather(x, indices as tf.Tensor1D);
      gradient = tf.grad((y: tf.Tensor) => tf.relu(tf.gather(y, indices as tf.Tensor1D)))(tf.abs(x));
    });
    assert.equal(count, 0);
    const values = await x.data();
    assertClose(await gathered!.data(), [...values.slice(15, 18), ...values.slice(0, 3), ...values.slice(15, 18)]);
    assertClose(await gradient!.data(), [1, 1, 1, ...Array(12).fill(0), 2, 2, 2]);
  });

  it('gather throws for an index outside of the tensor', () => {
    assert.throws(
      () => tf.gather(tf.tensor1d([1, 2]), tf.tensor1d([2], 'int32')),
      /indices\[0\] = 2 is not in \[0, 2\)/,
    );
  });

  it('step and clip have the values of their definitions', async () => {
    const x = tf.tensor1d([-2, 0, 0.5, 3]);
    assertClose(await tf.step(x).data(), [0, 0, 1, 1]);
    assertClose(await tf.step(x, 0.25).data(), [0.25, 0.25, 1, 1]);
    assertClose(await tf.step(x, -0.25).data(), [-0.25, -0.25, 1, 1]);
    assertClose(await tf.clipByValue(x, -1, 1).data(), [-1, 0, 0.5, 1]);
  });
});
