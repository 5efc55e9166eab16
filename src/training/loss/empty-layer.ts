import * as tf from '@tensorflow/tfjs-core';
import type { LayerOutput } from '../../model/rlip-v2.js';
import type { TrainingBatch } from '../data/training-batch.js';

/** Zeros of the shapes of a decoder layer's outputs, with which the data of a loss is made alone. */
export function emptyLayer({ sizes, labels }: TrainingBatch, queries: number): LayerOutput {
  const zeros = (numbers: number) => tf.zeros([sizes.length, queries, numbers]) as tf.Tensor3D;
  const [boxes, objects] = [zeros(4), zeros(labels.objects.length)];
  return {
    ...{ subjectBoxes: boxes, objectBoxes: boxes, subjectLogits: objects, objectLogits: objects },
    relationLogits: zeros(labels.relations.length),
  };
}
