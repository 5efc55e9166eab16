import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../src/model/backends/use-backend.js';
import { DeformableAttention } from '../../src/model/layers/deformable-attention-layer.js';
import { cxcywhToXyxy, generalizedIou } from '../../src/model/ops/boxes.js';
import { logit } from '../../src/model/ops/logit.js';
import { sineOfBoxes, sinePositions } from '../../src/model/ops/sine-positions.js';
import { Scope } from '../../src/model/parameter-scope.js';
import { rTaggerR50 } from '../../src/model/presets.js';
import { assertClose } from '../support/tensors.js';

// Golden numbers were computed with the official modules (the micro values of the specification).
describe('operations of the model', () => {
  before(() => useBackend('wasm'));

  it('logit clamps x and 1 − x to at least 1e-5', async () => {
    const y = tf.tidy(() => logit(tf.tensor1d([0, 1e-6, 0.2, 0.5, 0.9, 1])));
    assertClose(await y.data(), [-11.512925, -11.512924, -1.386294, 0, 2.197225, 11.512925], 2e-5);
  });

  it('sine positions start at 1 with a residual network and at ½ with Swin', () => {
    // A 2 × 3 map whose last column is padding, at row 0, column 1.
    const at = (shift: number) => {
      const all = sinePositions({ height: 2, width: 3 }, { height: 2, width: 2 }, 256, shift).slice(256, 512);
      return [...all.slice(0, 4), ...all.slice(128, 132)];
    };
    assertClose(at(0), [0, -1, 0.408752, -0.912645, 0, 1, -0.746092, 0.665843], 1e-5);
    assertClose(at(-0.5), [1, 0, 0.977918, 0.208991, -1, 0, -0.807066, -0.590461], 1e-5);
  });

  it('the sine encoding of boxes has the order y, x, w, h', async () => {
    const y = await tf.tidy(() => sineOfBoxes(tf.tensor3d([0.5, 0.25, 0.1, 0.2], [1, 1, 4]), 128)).data();
    assertClose(y.slice(0, 4), [1, 0, 0.977918, 0.208991]);
    assertClose(y.slice(128, 132), [0, -1, 0.408751, -0.912646]);
    assertClose(y.slice(256, 258), [0.587785, 0.809017]);
    assertClose(y.slice(384, 386), [0.951057, 0.309017]);
  });

  it('generalizedIou has the values of the definition', async () => {
    const a = tf.tensor2d([
      [0.1, 0.1, 0.5, 0.5],
      [0.1, 0.1, 0.5, 0.5],
    ]);
    const b = tf.tensor2d([
      [0.3, 0.3, 0.7, 0.9],
      [0.6, 0.6, 0.9, 0.9],
    ]);
    assertClose(await generalizedIou(a, b).data(), [-0.138889, -0.609375]);
  });

  it('cxcywhToXyxy converts centers and sizes to corners', async () => {
    assertClose(await cxcywhToXyxy(tf.tensor2d([[0.5, 0.4, 0.2, 0.6]])).data(), [0.4, 0.1, 0.6, 0.7]);
  });

  it('the heads of deformable attention start with different directions of their offsets', () => {
    const scope = new Scope();
    new DeformableAttention(scope, rTaggerR50);
    const { initializer } = scope.parameters.get('sampling_offsets.bias')!;
    const values = initializer.kind === 'values' ? initializer.values : new Float32Array();
    const directions = [1, 0, 1, 1, 0, 1, -1, 1, -1, 0, -1, -1, 0, -1, 1, -1];
    for (let head = 0; head < 8; head++)
      for (let point = 0; point < 4; point++)
        assertClose(
          values.slice(head * 32 + point * 2, head * 32 + point * 2 + 2),
          directions.slice(2 * head, 2 * head + 2).map((value) => value * (point + 1)),
        );
  });
});
