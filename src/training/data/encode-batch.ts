import * as tf from '@tensorflow/tfjs-core';
import type { Dropout } from '../../model/layers/dropout.js';
import type { GivenPairs } from '../../model/query-source.js';
import type { Encoded, RlipV2 } from '../../model/rlip-v2.js';
import { textMask } from '../../model/text/text-mask.js';
import type { CachedLabelVectors } from './cached-label-vectors.js';
import type { TrainingBatch } from './training-batch.js';

/** A batch's images and texts through a model's encoder, and the texts' vectors. */
export function encodeBatch(
  model: RlipV2,
  texts: CachedLabelVectors,
  batch: TrainingBatch,
  drop: Dropout,
): { readonly vectors: tf.Tensor2D; readonly encoded: Encoded } {
  const { height, width, sizes } = batch;
  const vectors = texts.encode(batch, drop);
  const hidden = model.config.compat.textMaskBySum ? textMask(vectors, sizes.length) : null;
  const pixels = tf.tensor4d(batch.pixels, [sizes.length, height, width, 3]);
  const encoded = model.encode(
    { pixels, sizes },
    { vectors, objectCount: batch.labels.objects.length, paddingMask: hidden },
    { drop },
  );
  return { vectors, encoded };
}

/** The noisy pairs of a batch as a decoder's queries, those apart that must not see each other. */
export function noisyQueries({ noisy, attentionMask: apart, slots, sizes }: TrainingBatch): GivenPairs {
  const mask = apart && tf.tensor3d(apart, [sizes.length, 2 * slots, 2 * slots]);
  return { groups: noisy, slots, ...(mask && { attentionMask: mask }) };
}
