import type * as tf from '@tensorflow/tfjs-core';
import type { GivenPairs } from '../../model/query-source.js';
import { dataTensor, isRecording } from '../../model/recording/data-tensor.js';
import type { TrainingBatch } from './training-batch.js';

/** Returns the noisy pairs of a batch as queries of a decoder, with the mask against leaks between them. */
export function noisyQueries({ noisy, attentionMask, slots, sizes }: TrainingBatch): GivenPairs {
  const shape = [sizes.length, 2 * slots, 2 * slots] as const;
  const values = attentionMask ?? (isRecording() ? new Float32Array(shape[0] * shape[1] * shape[2]) : null);
  const mask = values && dataTensor<tf.Tensor3D>('queries.attentionMask', values, shape);
  return { groups: noisy, slots, ...(mask && { attentionMask: mask }) };
}
