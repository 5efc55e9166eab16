import * as tf from '@tensorflow/tfjs-core';
import type { RlipV2 } from '../model/rlip-v2.js';
import { textMask } from '../model/text/text-mask.js';
import { pairLosses, totalLoss } from './losses.js';
import type { TextVectors } from './text-vectors.js';
import { type Forward, summedParts } from './training-step.js';

/** What a batch of given pairs becomes in a tagger. */
export const taggerForward = (model: RlipV2, texts: TextVectors): Forward => ({
  prepare: (batch) => texts.prepare(batch),
  run: (batch, drop) => {
    const { height, width, sizes, noisy, apart, slots, targets } = batch;
    const vectors = texts.of(batch, drop);
    const hidden = model.config.compat.textMaskBySum ? textMask(vectors, sizes.length) : null;
    const pixels = tf.tensor4d(batch.pixels, [sizes.length, height, width, 3]);
    const encoded = model.encode({ pixels, sizes }, { vectors, objects: batch.texts.objects.length, hidden }, { drop });
    const mask = apart && tf.tensor3d(apart, [sizes.length, 2 * slots, 2 * slots]);
    const layers = model.decode(encoded, { groups: noisy, slots, ...(mask && { apart: mask }) }, { drop });
    const terms = layers.map((layer) => pairLosses(layer, targets, { given: true, quality: false }));
    return { total: totalLoss(terms), parts: summedParts(terms) };
  },
});
