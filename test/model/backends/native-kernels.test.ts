import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { compiledKernels } from '../../../src/model/backends/compiled-kernels.js';
import { installNativeKernels } from '../../../src/model/backends/install-native-kernels.js';
import { compiledDeformableAttention } from '../../../src/model/backends/kernels/compiled-deformable-attention.js';
import { nativeKernels } from '../../../src/model/backends/kernels/native-kernels.js';
import { registerNativeKernels } from '../../../src/model/backends/kernels/register-native-kernels.js';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { linear, referenceLinear } from '../../../src/model/layers/linear.js';
import { gelu, referenceGelu } from '../../../src/model/ops/gelu.js';
import { layerNorm, referenceLayerNorm } from '../../../src/model/ops/layer-norm.js';
import { backendOrSkip } from '../../support/backends.js';
import { deformableAttentionTests } from '../../support/deformable-attention-cases.js';
import { assertAgree, assertClose, assertGradients, randomTensors } from '../../support/tensors.js';

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

  type Layer = (...inputs: tf.Tensor[]) => tf.Tensor;

  /** Compares a layer with its reference implementation, and its gradient with finite differences. */
  async function assertLayer(fused: Layer, reference: Layer, inputs: readonly tf.Tensor[]): Promise<void> {
    await assertAgree(fused(...inputs), reference(...inputs));
    await assertGradients(fused, inputs);
  }

  it('layers have the values of their reference implementations, and the gradients of finite differences', async () => {
    const [x, weight, bias] = [random([2, 3, 7]), random([7, 5]), random([5])];
    for (const activation of ['linear', 'relu'] as const) {
      const [fused, reference] = [linear, referenceLinear].map(
        (f): Layer =>
          (...[a, w, b]) =>
            f(a!, w!, b!, activation),
      ) as [Layer, Layer];
      await assertLayer(fused, reference, [x, weight, bias]);
    }
    const [gamma, beta] = [random([7]), random([7])];
    const [norm, referenceNorm] = [layerNorm, referenceLayerNorm].map(
      (f): Layer =>
        (...[a, g, b]) =>
          f(a!, g!, b!, 1e-5),
    ) as [Layer, Layer];
    await assertLayer(norm, referenceNorm, [x, gamma, beta]);
    await assertLayer(gelu as Layer, referenceGelu as Layer, [tf.mul(x, 3)]);
    await assertGradients((y) => tf.softmax(y), [x]);
  });

  it('keep nothing after their tensors are disposed of', () => {
    const [x, gamma] = [random([4, 6]), random([6])];
    const run = () => tf.tidy(() => void tf.grad((y: tf.Tensor) => tf.sum(layerNorm(gelu(y), gamma, gamma, 1e-5)))(x));
    run();
    const before = tf.memory().numTensors;
    run();
    assert.equal(tf.memory().numTensors, before);
  });

  describe('on a processor, compiled or in WebAssembly', () => {
    deformableAttentionTests();
  });

  describe('by gathers on a GPU', () => {
    before(() => registerNativeKernels(nativeKernels));
    after(() => (compiledKernels() ? registerNativeKernels(compiledDeformableAttention) : installNativeKernels()));
    deformableAttentionTests();
  });
});
