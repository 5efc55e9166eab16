import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { draw, FormulaWeights, hash } from '../../bench/parity/formula-weights.js';
import { batchOf } from '../../bench/parity/parity-inputs.js';
import { useBackend } from '../../src/model/backends/use-backend.js';
import { type ModelConfig, officialCompat } from '../../src/model/model-config.js';
import { tiny } from '../../src/model/presets.js';
import type { PairGroup } from '../../src/model/query-source.js';
import { type Encoded, type LayerOutput, RlipV2 } from '../../src/model/rlip-v2.js';
import { loadWeights } from '../../src/model/weights/load-weights.js';
import { assertClose } from '../support/tensors.js';

type OfficialOutput = 'pred_sub_logits' | 'pred_obj_logits' | 'pred_verb_logits' | 'pred_sub_boxes' | 'pred_obj_boxes';

interface Forward {
  /** The first four channels of every label vector, `[labels, 4]`. */
  readonly vectors: readonly number[];
  /** The first four channels of every 61st token, `[images, ⌈tokens / 61⌉, 4]`. */
  readonly memory: readonly number[];
  /** The first four channels of the label vectors of each decoder layer, `[layers, images, labels, 4]`. */
  readonly labels: readonly number[];
  readonly layers: readonly Readonly<Record<OfficialOutput, readonly number[]>>[];
}

// Computed in PyTorch by make-tiny-forward.py, an independent implementation that agrees with the official model's numbers.
const expected = JSON.parse(readFileSync('test/model/parity/tiny-forward.json', 'utf8')) as Record<string, Forward>;

const SALT = 'tiny';
const OBJECTS = 3;
const TOLERANCE = 5e-6;

const outputs: Readonly<Record<OfficialOutput, keyof LayerOutput>> = {
  pred_sub_logits: 'subjectLogits',
  pred_obj_logits: 'objectLogits',
  pred_verb_logits: 'relationLogits',
  pred_sub_boxes: 'subjectBoxes',
  pred_obj_boxes: 'objectBoxes',
};

/** Draws of the formula, scaled to [offset, offset + scale). */
function draws(name: string, count: number, offset: number, scale: number): Float32Array {
  const seed = hash(`${SALT}:${name}`);
  return Float32Array.from({ length: count }, (_, k) => offset + scale * draw(seed, k));
}

/** Two images that are both padded at every feature level. */
const images = [
  [64, 160],
  [128, 64],
].map(([height, width], k) => ({
  shape: [3, height!, width!],
  pixels: draws(`image${k}`, 3 * height! * width!, -2, 4),
}));

const texts = {
  ids: Int32Array.from([0, 70, 71, 2, 0, 80, 2, 1, 0, 90, 91, 2, 0, 99, 2, 1, 0, 5, 2, 1]),
  texts: 5,
  tokens: 4,
};

const groups = [
  { subjects: [0, 1, 0], objects: [1, 1, 0] },
  { subjects: [1, 0], objects: [0, 1] },
].map(
  ({ subjects, objects }, k): PairGroup => ({
    subjectBoxes: draws(`sub_boxes${k}`, 4 * subjects.length, 0.1, 0.6),
    objectBoxes: draws(`obj_boxes${k}`, 4 * objects.length, 0.1, 0.6),
    subjectLabels: Int32Array.from(subjects),
    objectLabels: Int32Array.from(objects),
  }),
);

/** The first four channels of every `step`-th row of a tensor `[…, rows, channels]`. */
const firstChannels = (x: tf.Tensor, step = 1): tf.Tensor => {
  const [rows, channels] = x.shape.slice(-2) as [number, number];
  const all = tf.reshape(x, [-1, channels]);
  const selected = Array.from({ length: all.shape[0]! }, (_, k) => k).filter((k) => (k % rows) % step === 0);
  return tf.slice(tf.gather(all, tf.tensor1d(selected, 'int32')), [0, 0], [-1, 4]);
};

/** The tagger has the default behavior, in which the fusion masks padding; ParSeDA has the official one, without masks. */
const cases: Readonly<Record<string, ModelConfig>> = {
  tagger: { ...tiny.tagger, pairs: 4 },
  parseda: { ...tiny.parseda, pairs: 4, compat: officialCompat },
};

describe('tiny models with weights by formula', () => {
  before(() => useBackend('wasm', { threads: 1 }));

  it('weights are computed by the formula', () => {
    const seed = hash('relflow:x');
    assertClose(
      [0, 1, 2].map((k) => draw(seed, k)),
      [0.65503755, 0.82591242, 0.79547666],
      1e-8,
    );
  });

  for (const [name, config] of Object.entries(cases))
    it(`${config.name} has the stages and outputs of an independent implementation, for a padded batch`, async () => {
      const model = new RlipV2(config);
      await loadWeights(model.parameters, new FormulaWeights(SALT, model.parameters.values()));
      const batch = batchOf(images);
      const vectors = tf.tidy(() => model.encodeTexts(texts));
      const encoded = tf.tidy(
        () => model.encode(batch, { vectors, objectCount: OBJECTS }) as unknown as tf.TensorContainer,
      ) as unknown as Encoded;
      const compare = async (part: string, actual: tf.Tensor, values: readonly number[]) => {
        assert.equal(actual.size, values.length, part);
        const data = await actual.data();
        const difference = values.reduce((largest, value, k) => Math.max(largest, Math.abs(value - data[k]!)), 0);
        assert.ok(difference <= TOLERANCE, `${part} differs by ${difference}`);
      };
      const { vectors: pooled, memory, labels, layers } = expected[name]!;
      await compare(
        'label vectors',
        tf.tidy(() => firstChannels(vectors)),
        pooled,
      );
      await compare(
        'memory',
        tf.tidy(() => firstChannels(encoded.memory, 61)),
        memory,
      );
      await compare(
        'fused labels',
        tf.tidy(() => firstChannels(tf.stack([...encoded.labels]))),
        labels,
      );
      const given = config.queries === 'tagger' ? { groups, slots: config.pairs } : undefined;
      const decoded = tf.tidy(
        () => model.decode(encoded, given) as unknown as tf.TensorContainer,
      ) as unknown as LayerOutput[];
      assert.equal(decoded.length, layers.length);
      for (const [k, layer] of layers.entries())
        for (const [official, output] of Object.entries(outputs))
          await compare(`layer ${k}, ${official}`, decoded[k]![output], layer[official as OfficialOutput]);
      tf.dispose([batch.pixels, vectors, encoded, decoded] as unknown as tf.TensorContainer);
      model.dispose();
    });
});
