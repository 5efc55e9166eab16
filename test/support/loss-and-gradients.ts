import * as tf from '@tensorflow/tfjs-core';
import { noDropout } from '../../src/model/layers/dropout.js';
import type { RlipV2 } from '../../src/model/rlip-v2.js';
import { byteTokenizer } from '../../src/model/text/tokenizer.js';
import { CachedLabelVectors } from '../../src/training/data/cached-label-vectors.js';
import type { TrainingBatch } from '../../src/training/data/training-batch.js';
import { taggerForward } from '../../src/training/tagger-forward.js';

/** Returns the loss of a batch and all gradients of a tagger, by name. */
export function lossAndGradients(model: RlipV2, batch: TrainingBatch): Record<string, tf.Tensor> {
  const forward = taggerForward(model, new CachedLabelVectors(model, byteTokenizer, true));
  const trained = [...model.parameters.values()].filter((parameter) => parameter.trained);
  const { value, grads } = tf.variableGrads(
    () => forward.run(batch, noDropout).total,
    trained.map(({ variable }) => variable),
  );
  const gradients = trained.flatMap(({ name, variable }) =>
    grads[variable.name] ? [[name, grads[variable.name]!] as const] : [],
  );
  return { loss: value, ...Object.fromEntries(gradients) };
}
