import type * as tf from '@tensorflow/tfjs-core';
import type { Dropout } from '../../model/layers/dropout.js';
import { dataTensor } from '../../model/recording/data-tensor.js';
import type { Encoded, RlipV2 } from '../../model/rlip-v2.js';
import { textMask } from '../../model/text/text-mask.js';
import type { CachedLabelVectors } from './cached-label-vectors.js';
import type { TrainingBatch } from './training-batch.js';

/** Makes the tensor of a batch's pixels, `[images, height, width, 3]`. */
export const pixelTensor = ({ pixels, sizes, height, width }: TrainingBatch): tf.Tensor4D =>
  dataTensor('pixels', pixels, [sizes.length, height, width, 3]);

/** Encodes a batch's images and labels; `vectors` are those of the labels before the encoder. */
export function encodeBatch(
  model: RlipV2,
  labelVectors: CachedLabelVectors,
  batch: TrainingBatch,
  drop: Dropout,
): { readonly vectors: tf.Tensor2D; readonly encoded: Encoded } {
  const { sizes } = batch;
  const vectors = labelVectors.encode(batch, drop);
  const paddingMask = model.config.compat.textMaskBySum ? textMask(vectors, sizes.length) : null;
  const pixels = pixelTensor(batch);
  const labels = { vectors, objectCount: batch.labels.objects.length, paddingMask };
  const encoded = model.encode({ pixels, sizes }, labels, { drop });
  return { vectors, encoded };
}
