import * as tf from '@tensorflow/tfjs-core';
import type { LayerOutput, RlipV2 } from '../model/rlip-v2.js';
import { encodeBatch, noisyQueries } from './encode-batch.js';
import { pairLosses, totalLoss } from './losses.js';
import { pseudoLabels } from './pseudo-labels.js';
import type { TextVectors } from './text-vectors.js';
import { type Forward, summedParts } from './training-step.js';

export interface RlipLossOptions {
  /** Whether a relation's label is as strong as its boxes are good: relational quality labels. */
  readonly quality: boolean;
  /** Whether relations that mean about the same get a share of the label: relational pseudo-labels. */
  readonly pseudoLabels: boolean;
}

/**
 * What a batch becomes in RLIPv2: queries find pairs for themselves and are matched with the true ones, layer by layer.
 * With noise, a second group of queries begins at noisy copies of the true pairs and is to set them right (DN-DETR).
 * Targets are constant: no gradient goes to the text encoder through pseudo-labels, as officially one does.
 *
 * Source: RLIPv2, models/hoi.py and matcher.py.
 */
export const rlipForward = (model: RlipV2, texts: TextVectors, options: RlipLossOptions): Forward => ({
  prepare: (batch) => texts.prepare(batch),
  run: (batch, drop) => {
    const { targets } = batch;
    const { vectors, encoded } = encodeBatch(model, texts, batch, drop);
    const shares = options.pseudoLabels ? relationShares(vectors, batch.texts.objects.length, targets) : undefined;
    const lossesOf = (found: LayerOutput) =>
      pairLosses(found, targets, {
        given: false,
        quality: options.quality,
        ...(shares && { pseudoLabels: shares }),
      });
    if (!batch.denoised) {
      const terms = model.decode(encoded, undefined, { drop }).map(lossesOf);
      return { total: totalLoss(terms), parts: summedParts(terms) };
    }
    const layers = model.decode(encoded, noisyQueries(batch), { drop });
    const terms = layers.map((layer) => lossesOf(everySecond(layer, 0)));
    const denoised = layers.map((layer) => pairLosses(everySecond(layer, 1), targets, { given: true, quality: false }));
    // The parts that are told are those of what is found.
    return { total: tf.add(totalLoss(terms), totalLoss(denoised)) as tf.Scalar, parts: summedParts(terms) };
  },
});

/** Of each image's two groups the first one's answers, or the second one's. */
function everySecond(output: LayerOutput, which: 0 | 1): LayerOutput {
  const of = (x: tf.Tensor3D): tf.Tensor3D => {
    const [groups, pairs, numbers] = x.shape;
    const both = tf.reshape(x, [groups / 2, 2, pairs, numbers]);
    return tf.reshape(tf.slice(both, [0, which, 0, 0], [-1, 1, -1, -1]), [groups / 2, pairs, numbers]);
  };
  return {
    subjectLogits: of(output.subjectLogits),
    objectLogits: of(output.objectLogits),
    relationLogits: of(output.relationLogits),
    subjectBoxes: of(output.subjectBoxes),
    objectBoxes: of(output.objectBoxes),
  };
}

function relationShares(
  vectors: tf.Tensor2D,
  objects: number,
  targets: readonly { readonly relations: Float32Array }[],
): Float32Array[] {
  const [texts, width] = vectors.shape;
  const relations = (vectors.dataSync() as Float32Array).subarray(objects * width);
  return targets.map((target) => pseudoLabels(relations, texts - objects, target.relations));
}
