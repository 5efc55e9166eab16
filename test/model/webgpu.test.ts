import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../src/model/backends/use-backend.js';
import { deformableAttention, plainDeformableAttention } from '../../src/model/ops/deformable-attention.js';
import { hasKernel } from '../../src/model/ops/fused.js';
import { tiny } from '../../src/model/presets.js';
import { RlipV2 } from '../../src/model/rlip-v2.js';
import { initializeWeights } from '../../src/model/weights/initialize.js';
import { pairLosses, totalLoss } from '../../src/training/losses.js';
import type { PairTargets } from '../../src/training/targets.js';
import { deformableAttentionTests } from '../support/deformable-attention.js';
import { assertAgree, assertClose, randomTensors } from '../support/tensors.js';
import { webgpuOrSkip } from '../support/webgpu.js';

const texts = {
  ids: Int32Array.from([0, 70, 71, 2, 0, 80, 2, 1, 0, 90, 91, 2, 0, 99, 2, 1, 0, 5, 2, 1]),
  texts: 5,
  tokens: 4,
};
/** Three objects, the last of which is none, and two relations. */
const OBJECTS = 3;

const targets: PairTargets = {
  subjectBoxes: Float32Array.from({ length: 12 }, (_, k) => 0.2 + ((k * 7) % 5) / 10),
  objectBoxes: Float32Array.from({ length: 12 }, (_, k) => 0.1 + ((k * 3) % 7) / 12),
  subjectLabels: Int32Array.from([0, 1, 0]),
  objectLabels: Int32Array.from([1, 1, 0]),
  relations: Float32Array.from([1, 0, 0, 1, 1, 1]),
};

/** What a tiny tagger says of an image, its loss, and the gradient of each trained weight. */
async function trainingPass() {
  const model = new RlipV2(tiny.tagger);
  initializeWeights(model.parameters, 1);
  const images = { pixels: randomTensors(5)([1, 64, 96, 3]) as tf.Tensor4D, sizes: [{ height: 64, width: 96 }] };
  const trained = [...model.parameters.values()].filter(({ trained }) => trained);
  const decode = () => {
    const encoded = model.encode(images, { vectors: model.encodeTexts(texts), objects: OBJECTS });
    return model.decode(encoded, { groups: [targets] });
  };
  const last = tf.tidy(() => ({ ...decode().at(-1)! }) as unknown as tf.TensorContainer) as Record<string, tf.Tensor>;
  const { value, grads } = tf.variableGrads(
    () => totalLoss(decode().map((layer) => pairLosses(layer, [targets], { given: true, quality: false }))),
    trained.map(({ variable }) => variable),
  );
  const outputs: Record<string, tf.TypedArray> = {};
  const gradients: Record<string, tf.TypedArray> = {};
  for (const [name, tensor] of Object.entries(last)) outputs[name] = await tensor.data();
  // What has no part in the loss has no gradient.
  for (const { name, variable } of trained)
    if (grads[variable.name]) gradients[name] = await grads[variable.name]!.data();
  const loss = (await value.data())[0]!;
  tf.dispose([images.pixels, last, value, grads]);
  model.dispose();
  return { outputs, gradients, loss };
}

describe('the webgpu backend', function () {
  // The first use of each kernel compiles it.
  this.timeout(300_000);
  before(async function () {
    await webgpuOrSkip(this);
  });
  after(() => useBackend('wasm', { threads: 1 }));

  describe('kernels', () => {
    beforeEach(() => tf.engine().startScope());
    afterEach(() => tf.engine().endScope());

    it('are there', () => {
      assert.ok(hasKernel('RelflowDeformableAttention'));
      assert.ok(hasKernel('RelflowDeformableAttentionGradient'));
    });

    deformableAttentionTests();
  });

  it('a tiny tagger says what it says on wasm, and learns what it learns there', async () => {
    const ours = await trainingPass();
    await useBackend('wasm', { threads: 1 });
    const theirs = await trainingPass();
    for (const [name, values] of Object.entries(theirs.outputs)) assertClose(ours.outputs[name]!, values, 1e-4);
    assert.ok(Math.abs(ours.loss - theirs.loss) <= 1e-5 * theirs.loss, `loss ${ours.loss}, expected ${theirs.loss}`);
    for (const [name, values] of Object.entries(theirs.gradients)) {
      const length = Math.hypot(...values);
      const off = Math.hypot(...values.map((value, k) => value - ours.gradients[name]![k]!));
      // The gradient of a key's bias is rounding alone: a softmax is blind to it.
      assert.ok(off <= 1e-3 * length + 1e-6, `${name}: off by ${off}, its length is ${length}`);
    }
  });
});
