import * as tf from '@tensorflow/tfjs-core';
import { type Dropout, keepAll } from '../model/layers/dropout.js';
import type { RlipV2 } from '../model/rlip-v2.js';
import { textMask } from '../model/text/text-mask.js';
import { type Tokenizer, tokenize } from '../model/text/tokenizer.js';
import { type LossTerms, pairLosses, totalLoss } from './losses.js';
import type { TrainingBatch } from './training-batch.js';

/** The parts of a loss, over all layers and without weights. */
export type LossParts = Readonly<Record<keyof LossTerms, number>>;

export interface StepLoss {
  readonly loss: number;
  readonly parts: LossParts;
}

const PARTS: readonly (keyof LossTerms)[] = [
  'labels',
  'relations',
  'subjectBoxes',
  'objectBoxes',
  'subjectGiou',
  'objectGiou',
];

/** What a batch becomes in the model: loss of all decoder layers, and its parts as one tensor. */
function forward(model: RlipV2, tokenizer: Tokenizer, batch: TrainingBatch, drop: Dropout) {
  const { height, width, sizes, texts, noisy, apart, slots, targets } = batch;
  const labels = [...texts.objects, ...texts.relations];
  const tokens = tokenize(tokenizer, labels, model.config.text.positions - 2);
  const vectors = model.encodeTexts(tokens, { drop });
  const hidden = model.config.compat.textMaskBySum ? textMask(vectors, sizes.length) : null;
  const pixels = tf.tensor4d(batch.pixels, [sizes.length, height, width, 3]);
  const encoded = model.encode({ pixels, sizes }, { vectors, objects: texts.objects.length, hidden }, { drop });
  const mask = apart && tf.tensor3d(apart, [sizes.length, 2 * slots, 2 * slots]);
  const layers = model.decode(encoded, { groups: noisy, slots, ...(mask && { apart: mask }) }, { drop });
  const terms = layers.map((layer) => pairLosses(layer, targets, { given: true, quality: false }));
  const parts = tf.stack(PARTS.map((name) => tf.addN(terms.map((term) => term[name])))) as tf.Tensor1D;
  return { total: totalLoss(terms), parts };
}

const named = (values: Float32Array): LossParts =>
  Object.fromEntries(PARTS.map((name, k) => [name, values[k]!])) as Record<keyof LossTerms, number>;

/**
 * Loss of a batch of given pairs, and its gradients.
 * @param variables what gradients are asked for
 * @param drop with seeds of its own for each step
 * @returns gradients by the variable's name, which the caller disposes of
 */
export async function taggerGradients(
  model: RlipV2,
  tokenizer: Tokenizer,
  batch: TrainingBatch,
  variables: tf.Variable[],
  drop: Dropout,
): Promise<StepLoss & { readonly gradients: Record<string, tf.Tensor> }> {
  let parts: tf.Tensor1D | undefined;
  const { value, grads } = tf.variableGrads(() => {
    const result = forward(model, tokenizer, batch, drop);
    parts = tf.keep(result.parts);
    return result.total;
  }, variables);
  const loss = (await value.data())[0]!;
  const values = (await parts!.data()) as Float32Array;
  tf.dispose([value, parts!]);
  return { loss, parts: named(values), gradients: grads };
}

/** Loss of a batch without dropout and without gradients. */
export async function taggerLoss(model: RlipV2, tokenizer: Tokenizer, batch: TrainingBatch): Promise<StepLoss> {
  const { total, parts } = tf.tidy(() => forward(model, tokenizer, batch, keepAll));
  const [loss, values] = [(await total.data())[0]!, (await parts.data()) as Float32Array];
  tf.dispose([total, parts]);
  return { loss, parts: named(values) };
}
