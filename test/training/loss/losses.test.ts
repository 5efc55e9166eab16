import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { focalLoss, qualityFocalLoss } from '../../../src/training/loss/focal-loss.js';
import { giou } from '../../../src/training/loss/giou.js';
import { pseudoLabels } from '../../../src/training/loss/pseudo-labels.js';
import { assertClose } from '../../support/tensors.js';

const logits = () =>
  tf.tensor2d(
    [
      [0.9, 0.2, 0.6],
      [0.1, 0.7, 0.05],
    ].map((row) => row.map((p) => Math.log(p / (1 - p)))),
  );

// Golden numbers: computed by the official modules.

describe('losses', () => {
  before(() => useBackend('wasm', { threads: 1 }));

  it('focalLoss, with and without positive targets', async () => {
    assertClose(
      await focalLoss(
        logits(),
        tf.tensor2d([
          [1, 0, 0],
          [0, 1, 0],
        ]),
      ).data(),
      [0.1865633],
    );
    assertClose(await focalLoss(logits(), tf.zeros([2, 3])).data(), [2.7950125]);
  });

  it('qualityFocalLoss', async () => {
    assertClose(
      await qualityFocalLoss(
        logits(),
        tf.tensor2d([
          [0.8, 0, 0.35],
          [0, 0.6, 0],
        ]),
      ).data(),
      [0.0236367],
    );
  });

  it('giou', () => {
    const box = (x0: number, y0: number, x1: number, y1: number) => [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0];
    assertClose([giou(box(0.1, 0.1, 0.5, 0.5), box(0.3, 0.3, 0.7, 0.9))], [-0.138889]);
    assertClose([giou(box(0.1, 0.1, 0.5, 0.5), box(0.6, 0.6, 0.9, 0.9))], [-0.609375]);
  });

  it('pseudoLabels gives similar predicates a part of the target', () => {
    const vectors = Float32Array.from([1, 0, 0, 0.9, 0.1, 0, 0, 1, 0, 0, 0, 3]);
    assertClose(pseudoLabels(vectors, 4, Float32Array.from([1, 0, 0, 0])), [0, 0.955279, 0.552787, 0]);
    assertClose(pseudoLabels(vectors, 4, Float32Array.from([0, 0, 1, 0])), [0.552787, 0.597508, 0, 0]);
  });
});
