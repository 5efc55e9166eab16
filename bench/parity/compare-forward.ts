import * as tf from '@tensorflow/tfjs-core';
import type { WeightSource } from '../../src/files/weight-source.js';
import type { Encoded, LayerOutput, RlipV2 } from '../../src/model/rlip-v2.js';
import { batchOf, type ParityInputs } from './parity-inputs.js';

/** Largest absolute difference between an array and the official one. */
export interface Difference {
  readonly name: string;
  readonly largest: number;
}

type Report = (difference: Difference) => void;

/** Official names of the outputs of a decoder layer. */
const officialOutputs: Readonly<Record<string, keyof LayerOutput>> = {
  pred_sub_logits: 'subjectLogits',
  pred_obj_logits: 'objectLogits',
  pred_verb_logits: 'relationLogits',
  pred_sub_boxes: 'subjectBoxes',
  pred_obj_boxes: 'objectBoxes',
};

/** Runs the model on the first image and on a batch of both, and compares every array that `expected` contains. */
export async function compareForward(
  model: RlipV2,
  inputs: ParityInputs,
  expected: WeightSource,
  report: Report,
): Promise<void> {
  const vectors = tf.tidy(() => model.encodeTexts(inputs.texts));
  await compare('stage.text_pooled', vectors, expected, report);
  for (const [run, images] of [
    ['single', inputs.images.slice(0, 1)],
    ['batch', inputs.images],
  ] as const) {
    const batch = batchOf(images);
    const stages: [string, tf.Tensor][] = [];
    const onStage = (name: string, value: tf.Tensor) => {
      const official = `stage.${name}`;
      if (run === 'single' && expected.entries.has(official)) stages.push([official, tf.keep(tf.clone(value))]);
    };
    const encoded: Encoded = tf.tidy(() => {
      const encoded = model.encode(batch, { vectors, objectCount: inputs.objects }, { onStage });
      return encoded as unknown as tf.TensorContainer;
    }) as unknown as Encoded;
    for (const [name, value] of stages) {
      await compare(name, name.includes('input_proj') ? tf.transpose(value, [0, 3, 1, 2]) : value, expected, report);
      value.dispose();
    }
    await compare(`${run}.img_memory`, encoded.memory, expected, report);
    // The official label states are [layers, labels, batch, width].
    const texts = tf.tidy(() => tf.transpose(tf.stack([...encoded.labels]), [0, 2, 1, 3]));
    await compare(`${run}.text_memory`, texts, expected, report);
    const given = { groups: inputs.pairs.slice(0, images.length), slots: model.config.pairs };
    const layers = tf.tidy(
      () =>
        model.decode(encoded, model.config.queries === 'tagger' ? given : undefined) as unknown as tf.TensorContainer,
    ) as unknown as LayerOutput[];
    for (const [k, layer] of layers.entries())
      for (const [official, output] of Object.entries(officialOutputs))
        await compare(`${run}.layer${k}.${official}`, layer[output], expected, report);
    tf.dispose([
      batch.pixels,
      texts,
      layers as unknown as tf.TensorContainer,
      encoded as unknown as tf.TensorContainer,
    ]);
  }
  vectors.dispose();
}

async function compare(name: string, actual: tf.Tensor, expected: WeightSource, report: Report): Promise<void> {
  const entry = expected.entries.get(name);
  if (!entry) return;
  if (entry.shape.join() !== actual.shape.join())
    throw new Error(`${name}: shape [${actual.shape}], expected [${entry.shape}]`);
  const [values, official] = [await actual.data(), await expected.read(name)];
  let largest = 0;
  for (const [k, value] of official.entries()) {
    const difference = Math.abs(value - values[k]!);
    // Also true for NaN.
    if (!(difference <= largest)) largest = difference;
  }
  report({ name, largest });
}
