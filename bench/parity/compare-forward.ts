import * as tf from '@tensorflow/tfjs-core';
import type { WeightSource } from '../../src/files/weight-source.js';
import type { ImageBatch } from '../../src/model/geometry.js';
import { eagerPasses, type ModelPasses, type NamedTensors } from '../../src/model/recording/model-passes.js';
import type { LayerOutput, RlipV2 } from '../../src/model/rlip-v2.js';
import { batchOf, type ParityInputs } from './parity-inputs.js';

/** Largest absolute difference between an array and the official one. */
export interface Difference {
  readonly name: string;
  readonly largest: number;
}

type Report = (difference: Difference) => void;

/** Official names of the outputs of a decoder layer. */
export const officialOutputs: Readonly<Record<string, keyof LayerOutput>> = {
  pred_sub_logits: 'subjectLogits',
  pred_obj_logits: 'objectLogits',
  pred_verb_logits: 'relationLogits',
  pred_sub_boxes: 'subjectBoxes',
  pred_obj_boxes: 'objectBoxes',
};

/**
 * Runs the model on the first image and on a batch of both, and compares every array that `expected` contains.
 * @param runner runs the passes: operation by operation, or recorded
 */
export async function compareForward(
  model: RlipV2,
  inputs: ParityInputs,
  expected: WeightSource,
  report: Report,
  runner: ModelPasses = eagerPasses,
): Promise<void> {
  const { vectors } = (await runner.run({
    key: 'texts',
    given: {},
    collectData: () => {},
    run: () => ({ vectors: model.encodeTexts(inputs.texts) }),
  })) as { vectors: tf.Tensor2D };
  await compare('stage.text_pooled', vectors, expected, report);
  for (const [run, images] of [
    ['single', inputs.images.slice(0, 1)],
    ['batch', inputs.images],
  ] as const) {
    const batch = batchOf(images);
    const outputs = await runner.run({
      key: run,
      given: { pixels: batch.pixels, vectors },
      collectData: () => {},
      run: () => forward(model, inputs, batch, vectors, run),
    });
    for (const [name, value] of Object.entries(outputs)) {
      await compare(name, name.includes('input_proj') ? tf.transpose(value, [0, 3, 1, 2]) : value, expected, report);
      value.dispose();
    }
    batch.pixels.dispose();
  }
  vectors.dispose();
}

/** Runs the model. @returns what has an official name, by that name */
function forward(
  model: RlipV2,
  inputs: ParityInputs,
  batch: ImageBatch,
  vectors: tf.Tensor2D,
  run: 'single' | 'batch',
): NamedTensors {
  const outputs: Record<string, tf.Tensor> = {};
  const onStage = (name: string, value: tf.Tensor) => {
    if (run === 'single') outputs[`stage.${name}`] = tf.keep(tf.clone(value));
  };
  const encoded = model.encode(batch, { vectors, objectCount: inputs.objects }, { onStage });
  outputs[`${run}.img_memory`] = encoded.memory;
  // The official label states are [layers, labels, batch, width].
  outputs[`${run}.text_memory`] = tf.transpose(tf.stack([...encoded.labels]), [0, 2, 1, 3]);
  const given = { groups: inputs.pairs.slice(0, batch.sizes.length), slots: model.config.pairs };
  const layers = model.decode(encoded, model.config.queries === 'tagger' ? given : undefined);
  for (const [k, layer] of layers.entries())
    for (const [official, output] of Object.entries(officialOutputs))
      outputs[`${run}.layer${k}.${official}`] = layer[output];
  return outputs;
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
