import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../src/model/backends/use-backend.js';
import type { ImageBatch } from '../../src/model/geometry.js';
import type { ModelConfig } from '../../src/model/model-config.js';
import { swinT, tiny, tinyLate } from '../../src/model/presets.js';
import type { PairGroup } from '../../src/model/query-source.js';
import { type Encoded, type LayerOutput, RlipV2 } from '../../src/model/rlip-v2.js';
import { initializeWeights } from '../../src/model/weights/initialize-weights.js';
import { matchPairsAsync } from '../../src/training/loss/match-pairs.js';
import { pairLosses, totalLoss } from '../../src/training/loss/pair-losses.js';
import type { Matches, PairTargets } from '../../src/training/loss/pair-targets.js';
import { assertClose, randomTensors } from '../support/tensors.js';

const random = randomTensors(5);
const texts = {
  ids: Int32Array.from([0, 70, 71, 2, 0, 80, 2, 1, 0, 90, 91, 2, 0, 99, 2, 1, 0, 5, 2, 1]),
  texts: 5,
  tokens: 4,
};
/** Three object labels, the last of which is "no objects"; the other two labels are relations. */
const OBJECTS = 3;

function modelOf(config: ModelConfig): RlipV2 {
  const model = new RlipV2(config);
  initializeWeights(model.parameters, 1);
  return model;
}

const imagesOf = (...sizes: readonly (readonly [number, number])[]): ImageBatch => {
  const height = Math.max(...sizes.map(([rows]) => rows));
  const width = Math.max(...sizes.map(([, columns]) => columns));
  const pixels = tf.tidy(() =>
    tf.stack(
      sizes.map(([rows, columns]) =>
        tf.pad(random([rows, columns, 3]), [
          [0, height - rows],
          [0, width - columns],
          [0, 0],
        ]),
      ),
    ),
  ) as tf.Tensor4D;
  return { pixels, sizes: sizes.map(([rows, columns]) => ({ height: rows, width: columns })) };
};

const groupOf = (seed: number, count: number): PairGroup => ({
  subjectBoxes: Float32Array.from({ length: 4 * count }, (_, k) => 0.2 + ((k * 7 + seed) % 5) / 10),
  objectBoxes: Float32Array.from({ length: 4 * count }, (_, k) => 0.1 + ((k * 3 + seed) % 7) / 12),
  subjectLabels: Int32Array.from({ length: count }, (_, k) => (k + seed) % 2),
  objectLabels: Int32Array.from({ length: count }, (_, k) => (k * seed) % 2),
});

const targetsOf = (seed: number, count: number): PairTargets => ({
  ...groupOf(seed, count),
  relations: Float32Array.from({ length: 2 * count }, (_, k) => (k + seed) % 2),
});

/** Runs a complete forward pass and returns the outputs, which the caller disposes. */
const run = (model: RlipV2, images: ImageBatch, groups?: readonly PairGroup[], slots?: number): LayerOutput[] =>
  tf.tidy(() => {
    const encoded = model.encode(images, { vectors: model.encodeTexts(texts), objectCount: OBJECTS });
    const given = groups && { groups, ...(slots !== undefined && { slots }) };
    return model.decode(encoded, given) as unknown as tf.TensorContainer;
  }) as unknown as LayerOutput[];

describe('RlipV2', () => {
  before(() => useBackend('wasm', { threads: 1 }));

  /** Swin transformer with few channels that has all parts: shifted windows, padding to windows, patch merging. */
  const tinySwin: ModelConfig = {
    ...tiny.parseda,
    name: 'tinySwin',
    backbone: { ...swinT, width: 16, depths: [2, 2, 2, 2], heads: [1, 2, 4, 8] },
  };

  for (const config of [...Object.values(tiny), tinyLate, tinySwin])
    it(`${config.name} has finite outputs for each query and label`, async () => {
      const model = modelOf(config);
      const groups = config.queries === 'tagger' ? [groupOf(1, 3), groupOf(2, 4)] : undefined;
      const layers = run(model, imagesOf([64, 96], [80, 64]), groups, config.pairs);
      assert.equal(layers.length, config.decoderLayers);
      for (const layer of layers) {
        assert.deepEqual(layer.subjectLogits.shape, [2, config.pairs, OBJECTS]);
        assert.deepEqual(layer.relationLogits.shape, [2, config.pairs, 2]);
        assert.deepEqual(layer.objectBoxes.shape, [2, config.pairs, 4]);
        for (const tensor of Object.values(layer) as tf.Tensor[])
          assert.ok([...(await tensor.data())].every(Number.isFinite));
      }
      model.dispose();
    });

  it('a tagger gives a group the same outputs alone and together with other groups', async () => {
    const model = modelOf(tiny.tagger);
    const image = imagesOf([64, 96]);
    const groups = [groupOf(1, 3), groupOf(2, 5), groupOf(3, 1)];
    const together = run(model, image, groups).at(-1)!;
    for (const [k, group] of groups.entries()) {
      const alone = run(model, image, [group]).at(-1)!;
      const count = group.subjectLabels.length;
      const part = tf.slice(together.relationLogits, [k, 0, 0], [1, count, 2]);
      assertClose(await part.data(), await alone.relationLogits.data(), 1e-4);
    }
    model.dispose();
  });

  it('a decoder that samples tokens before it projects them has the same outputs', async () => {
    const model = modelOf({ ...tiny.tagger, pairs: 2 });
    const images = imagesOf([96, 200], [136, 160]);
    const all = [groupOf(1, 2), groupOf(2, 1), groupOf(3, 2), groupOf(4, 2)];
    const encoded = tf.tidy(
      () =>
        model.encode(images, {
          vectors: model.encodeTexts(texts),
          objectCount: OBJECTS,
        }) as unknown as tf.TensorContainer,
    ) as unknown as Encoded;
    const logits = () => tf.tidy(() => model.decode(encoded, { groups: all }).at(-1)!.relationLogits);
    const { kernels, result } = await tf.profile(logits);
    const tokens = encoded.memory.shape[1];
    const readsAllTokens = ({ name, inputShapes }: (typeof kernels)[number]) =>
      name === 'RelflowLinear' && inputShapes.some((shape) => shape?.[1] === tokens);
    assert.equal(kernels.filter(readsAllTokens).length, 0);
    // With a tape, all tokens are projected before they are sampled.
    let expected: tf.Tensor | undefined;
    const { value, grads } = tf.variableGrads(() => {
      expected = tf.keep(logits());
      return tf.sum(expected) as tf.Scalar;
    });
    const decoded = result as tf.Tensor;
    assertClose(await decoded.data(), await expected!.data());
    tf.dispose([decoded, expected!, value, grads]);
    tf.dispose(encoded as unknown as tf.TensorContainer);
    model.dispose();
  });

  it('an empty group has finite outputs', async () => {
    const model = modelOf(tiny.tagger);
    const last = run(model, imagesOf([64, 64]), [groupOf(1, 0), groupOf(1, 2)], 2).at(-1)!;
    assert.ok([...(await last.relationLogits.data())].every(Number.isFinite));
    model.dispose();
  });

  it('losses are the same bit by bit when matches are computed before, and given matches are used', async () => {
    const model = modelOf(tiny.parseda);
    const targets = [targetsOf(1, 3), targetsOf(2, 2)];
    const layer = tf.tidy(() => {
      const encoded = model.encode(imagesOf([64, 96], [64, 64]), {
        vectors: model.encodeTexts(texts),
        objectCount: OBJECTS,
      });
      return { ...model.decode(encoded).at(-1)! } as unknown as tf.TensorContainer;
    }) as unknown as LayerOutput;
    const lossesBy = (matches?: readonly Matches[]) => {
      const terms = tf.tidy(() => ({
        ...pairLosses(layer, targets, { givenPairs: false, qualityLabels: true, ...(matches && { matches }) }),
      }));
      return Object.values(terms).map((term) => (term as tf.Scalar).dataSync()[0]!);
    };
    const matches = await matchPairsAsync(layer, targets);
    assert.deepEqual(
      matches.map(({ queries }) => new Set(queries).size),
      [3, 2],
    );
    assert.deepEqual(lossesBy(matches), lossesBy());
    const reversed = matches.map(({ queries }) => ({ queries: queries.slice().reverse() }));
    assert.notDeepEqual(lossesBy(reversed), lossesBy());
    model.dispose();
  });

  it('late fusion ignores masked labels, and every trained weight has a gradient', async () => {
    const model = modelOf(tinyLate);
    const image = imagesOf([64, 64]);
    const targets = [targetsOf(1, 3)];
    const logitsWithMasked = (label: number, values: Float32Array): Promise<Float32Array> => {
      const logits = tf.tidy(() => {
        const vectors = tf.tidy(() => {
          const vectors = model.encodeTexts(texts);
          const row = tf.reshape(tf.tensor1d(values), [1, -1]);
          return tf.concat(
            [tf.slice(vectors, [0, 0], [label, -1]), row, tf.slice(vectors, [label + 1, 0], [-1, -1])],
            0,
          );
        }) as tf.Tensor2D;
        const masked = tf.oneHot(tf.tensor1d([label], 'int32'), 5) as tf.Tensor2D;
        const encoded = model.encode(image, { vectors, objectCount: OBJECTS, paddingMask: tf.cast(masked, 'float32') });
        return tf.slice(model.decode(encoded).at(-1)!.relationLogits, [0, 0, 0], [-1, -1, 1]);
      });
      return logits.data() as Promise<Float32Array>;
    };
    const { width } = model.config.text;
    const [some, other] = [new Float32Array(width).fill(0.5), new Float32Array(width).map((_, k) => Math.sin(k))];
    assertClose(await logitsWithMasked(4, some), await logitsWithMasked(4, other), 1e-6);
    const trained = [...model.parameters.values()].filter((parameter) => parameter.trained);
    const { value, grads } = tf.variableGrads(
      () => {
        const encoded = model.encode(image, { vectors: model.encodeTexts(texts), objectCount: OBJECTS });
        return totalLoss(
          model.decode(encoded).map((layer) => pairLosses(layer, targets, { givenPairs: false, qualityLabels: true })),
        );
      },
      trained.map(({ variable }) => variable),
    );
    for (const { name, variable } of trained.filter((parameter) => parameter.name.includes('_fusion.')))
      assert.ok((await tf.norm(grads[variable.name]!).data())[0]! > 0 || name.endsWith('in_proj_bias'), name);
    tf.dispose([value]);
    tf.dispose(grads);
    model.dispose();
  });

  it('uses the same memory after 50 inferences', () => {
    const model = modelOf(tiny.tagger);
    const image = imagesOf([32, 48]);
    const once = () => tf.dispose(run(model, image, [groupOf(1, 3)]) as unknown as tf.TensorContainer);
    once();
    const { numTensors, numBytes } = tf.memory();
    for (let k = 0; k < 50; k++) once();
    assert.deepEqual([tf.memory().numTensors, tf.memory().numBytes], [numTensors, numBytes]);
    model.dispose();
  });

  it('lowers the loss in 15 training steps without leaking memory', async function () {
    this.timeout(600_000);
    const model = modelOf(tiny.tagger);
    const image = imagesOf([32, 48]);
    const targets = [targetsOf(1, 3)];
    const optimizer = tf.train.adam(1e-3);
    const variables = [...model.parameters.values()].filter(({ trained }) => trained).map(({ variable }) => variable);
    const step = async () => {
      const { value, grads } = tf.variableGrads(() => {
        const encoded = model.encode(image, { vectors: model.encodeTexts(texts), objectCount: OBJECTS });
        const layers = model.decode(encoded, { groups: targets });
        return totalLoss(layers.map((layer) => pairLosses(layer, targets, { givenPairs: true, qualityLabels: false })));
      }, variables);
      optimizer.applyGradients(grads as unknown as Parameters<typeof optimizer.applyGradients>[0]);
      tf.dispose(grads);
      const loss = (await value.data())[0]!;
      value.dispose();
      return loss;
    };
    const first = await step();
    const { numTensors, numBytes } = tf.memory();
    let last = first;
    for (let k = 0; k < 15; k++) last = await step();
    assert.deepEqual([tf.memory().numTensors, tf.memory().numBytes], [numTensors, numBytes]);
    assert.ok(last < 0.7 * first, `loss ${first}, then ${last}`);
    optimizer.dispose();
    model.dispose();
  });
});
