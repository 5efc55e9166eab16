import * as tf from '@tensorflow/tfjs-core';
import type { Dropout } from '../model/layers/dropout.js';
import type { RlipV2 } from '../model/rlip-v2.js';
import { textMask } from '../model/text/text-mask.js';
import { type Tokenizer, tokenize } from '../model/text/tokenizer.js';
import { pairLosses, totalLoss } from './losses.js';
import type { TrainingBatch } from './training-batch.js';
import {
  type Forward,
  lossGradients,
  lossOnly,
  type StepGradients,
  type StepLoss,
  summedParts,
} from './training-step.js';

/** What a batch of given pairs becomes in a tagger. */
export const taggerForward =
  (model: RlipV2, tokenizer: Tokenizer): Forward =>
  (batch, drop) => {
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
    return { total: totalLoss(terms), parts: summedParts(terms) };
  };

/** Loss of a batch of given pairs, and its gradients: see `lossGradients`. */
export const taggerGradients = (
  model: RlipV2,
  tokenizer: Tokenizer,
  batch: TrainingBatch,
  variables: tf.Variable[],
  drop: Dropout,
): Promise<StepGradients> => lossGradients(taggerForward(model, tokenizer), batch, variables, drop);

/** Loss of a batch of given pairs without dropout and without gradients. */
export const taggerLoss = (model: RlipV2, tokenizer: Tokenizer, batch: TrainingBatch): Promise<StepLoss> =>
  lossOnly(taggerForward(model, tokenizer), batch);
