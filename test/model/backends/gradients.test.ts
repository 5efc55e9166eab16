import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { BACKENDS } from '../../../src/model/backends/backend-names.js';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { backendOrSkip } from '../../support/backends.js';
import { assertAgree, assertClose, randomTensors } from '../../support/tensors.js';

const random = randomTensors(5);

/** Registers a gradient over the one that is registered, as another package may. */
function replaceGradient(kernelName: string, gradFunc: tf.GradFunc): void {
  if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName);
  tf.registerGradient({ kernelName, gradFunc });
}

/** Counts the kernels that a function calls. */
async function kernelCalls(run: () => tf.Tensor): Promise<number> {
  const { kernels } = await tf.profile(run);
  return kernels.length;
}

describe('registered gradients', () => {
  after(() => useBackend('wasm', { threads: 1 }));

  for (const name of BACKENDS)
    describe(name, () => {
      before(async function () {
        // What importing all of TensorFlow.js does: tfjs-node does so, and a user's module may.
        replaceGradient(tf.Tile, () => {
          throw new Error('the gradient of another package');
        });
        await backendOrSkip(this, name);
      });

      it('are those of relflow after the backend has started', async () => {
        const rows = random([1, 3]);
        const gradient = tf.grad((x: tf.Tensor) => tf.tile(x, [1000, 1]));
        assertClose(await gradient(rows).data(), [1000, 1000, 1000]);
        // The gradient of TensorFlow.js takes a slice and a sum for each repeat.
        const calls = await kernelCalls(() => gradient(rows));
        assert.ok(calls <= 10, `${calls} kernels, expected at most 10`);
      });

      it('are those of relflow again after another import', async function () {
        const own = tf.getGradient(tf.Relu);
        replaceGradient(tf.Relu, (dy) => ({ x: () => dy as tf.Tensor }));
        await backendOrSkip(this, name);
        assert.equal(tf.getGradient(tf.Relu), own);
      });

      it('give the gradient of a ReLU, 0 for an input of 0', async () => {
        const x = tf.tensor1d([-2, 0, 3, 1e-30]);
        assertClose(
          await tf
            .grad((y: tf.Tensor) => tf.mul(tf.relu(y), 2))(x)
            .data(),
          [0, 0, 2, 2],
        );
      });

      it('give the gradient of a gather along any axis', async () => {
        const indices = tf.tensor2d([2, 0, 2, 1, 1, 2], [2, 3], 'int32');
        for (const [axis, size] of [5, 4, 3].entries()) {
          const x = random([5, 4, 3]);
          const selected = tf.oneHot(indices, size) as tf.Tensor; // [2, 3, size]
          const weights = random(x.shape.flatMap((length, k) => (k === axis ? [2, 3] : [length])));
          const byGather = tf.grad((y: tf.Tensor) => tf.sum(tf.mul(tf.gather(y, indices, axis), weights)))(x);
          // The same selection as a product with 0 and 1.
          const order = [axis, ...[0, 1, 2].filter((k) => k !== axis)];
          const front = [axis, axis + 1, ...[0, 1, 2, 3].filter((k) => k !== axis && k !== axis + 1)];
          const rows = tf.reshape(tf.transpose(weights, front), [6, -1]);
          const expected = tf.matMul(tf.reshape(selected, [6, size]), rows, true);
          await assertAgree(
            tf.transpose(byGather, order),
            tf.reshape(expected, [size, ...x.shape.filter((_, k) => k !== axis)]),
          );
        }
      });
    });
});
