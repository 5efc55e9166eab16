import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { tiny } from '../../../src/model/presets.js';
import { collectData } from '../../../src/model/recording/collect-data.js';
import { dataTensor } from '../../../src/model/recording/data-tensor.js';
import { recordKernels } from '../../../src/model/recording/record-kernels.js';
import { recordingDifference } from '../../../src/model/recording/recording.js';
import { replayRecording } from '../../../src/model/recording/replay-recording.js';
import { RlipV2 } from '../../../src/model/rlip-v2.js';
import { initializeWeights } from '../../../src/model/weights/initialize-weights.js';
import { lossAndGradients } from '../../support/loss-and-gradients.js';
import { randomBatch } from '../../support/training-batches.js';

describe('recordKernels', () => {
  it("replays a training step with the eager step's loss and gradients bit by bit, also for another batch", async () => {
    const target = 'wasm';
    await useBackend(target, { threads: 1 });
    const model = new RlipV2(tiny.tagger);
    initializeWeights(model.parameters, 1);
    const [first, second] = [randomBatch(1), randomBatch(2, { pairs: [4, 1] })];
    const { numTensors } = tf.memory();
    const a = recordKernels({ target }, () => lossAndGradients(model, first));
    const b = recordKernels({ target }, () => lossAndGradients(model, second));
    assert.equal(tf.getBackend(), target);
    assert.equal(recordingDifference(a.recording, b.recording), null);
    for (const [batch, data] of [
      [first, a.data],
      [second, b.data],
    ] as const) {
      const eager = lossAndGradients(model, batch);
      const replayed = replayRecording(a.recording, data);
      assert.deepEqual(Object.keys(replayed), Object.keys(eager));
      for (const [name, tensor] of Object.entries(eager)) {
        assert.deepEqual(await replayed[name]!.data(), await tensor.data(), name);
      }
      tf.dispose([eager, replayed]);
    }
    // Weights are read anew.
    initializeWeights(model.parameters, 2);
    const [eager, replayed] = [lossAndGradients(model, second), replayRecording(a.recording, b.data)];
    assert.deepEqual(await replayed['loss']!.data(), await eager['loss']!.data());
    tf.dispose([eager, replayed]);
    assert.equal(tf.memory().numTensors, numTensors);
    model.dispose();
  });

  it('knows images of the same number of pixels but another shape from each other', async () => {
    await useBackend('wasm', { threads: 1 });
    const keyOf = (height: number, width: number) =>
      collectData({ target: 'wasm' }, () => void dataTensor('pixels', new Float32Array(18), [1, height, width, 3])).key;
    assert.equal(keyOf(2, 3), keyOf(2, 3));
    assert.notEqual(keyOf(2, 3), keyOf(3, 2));
  });
});
