import * as tf from '@tensorflow/tfjs-core';
import type { Dropout } from '../model/layers/dropout.js';
import type { LayerOutput, RlipV2 } from '../model/rlip-v2.js';
import type { CachedLabelVectors } from './data/cached-label-vectors.js';
import { encodeBatch, noisyQueries } from './data/encode-batch.js';
import type { TrainingBatch } from './data/training-batch.js';
import { matchPairsAsync } from './loss/match-pairs.js';
import { pairLosses, totalLoss } from './loss/pair-losses.js';
import type { Matches } from './loss/pair-targets.js';
import { pseudoLabels } from './loss/pseudo-labels.js';
import { type Forward, summedParts } from './loss-gradients.js';

export interface RlipLossOptions {
  /** Whether a relation's label is as strong as its boxes are good: relational quality labels. */
  readonly qualityLabels: boolean;
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
export const rlipForward = (model: RlipV2, texts: CachedLabelVectors, options: RlipLossOptions): Forward => {
  const answers = (batch: TrainingBatch, drop: Dropout) => decodeBatch(model, texts, batch, drop);
  return {
    prepare: (batch) => texts.prepare(batch),
    readBack: async (batch, drop) => {
      const read = tf.tidy(() => answers(batch, drop) as unknown as tf.TensorContainer) as unknown as DecoderOutputs;
      const matches: Matches[][] = [];
      for (const layer of read.found) matches.push(await matchPairsAsync(layer, batch.targets));
      const shares = options.pseudoLabels ? relationShares(await read.vectors.data(), batch) : null;
      tf.dispose(read as unknown as tf.TensorContainer);
      return { matches, pseudoLabels: shares };
    },
    run: (batch, drop, known) => {
      const { targets } = batch;
      const { vectors, found, denoised } = answers(batch, drop);
      const read = () => (options.pseudoLabels ? relationShares(vectors.dataSync(), batch) : null);
      const shares = known ? known.pseudoLabels : read();
      const terms = found.map((layer, k) =>
        pairLosses(layer, targets, {
          givenPairs: false,
          qualityLabels: options.qualityLabels,
          ...(known && { matches: known.matches[k]! }),
          ...(shares && { pseudoLabels: shares }),
        }),
      );
      const total = totalLoss(terms);
      // The parts that are told are those of what is found.
      const parts = summedParts(terms);
      if (!denoised) return { total, parts };
      const corrected = denoised.map((layer) => pairLosses(layer, targets, { givenPairs: true, qualityLabels: false }));
      return { total: tf.add(total, totalLoss(corrected)) as tf.Scalar, parts };
    },
  };
};

/** What the decoder's layers say of a batch. */
interface DecoderOutputs {
  /** The texts' vectors, `[objects and relations, text width]`. */
  readonly vectors: tf.Tensor2D;
  /** Of the queries that find pairs for themselves. */
  readonly found: readonly LayerOutput[];
  /** Of those that begin at noisy copies of the true ones; null where there is no noise. */
  readonly denoised: readonly LayerOutput[] | null;
}

function decodeBatch(model: RlipV2, texts: CachedLabelVectors, batch: TrainingBatch, drop: Dropout): DecoderOutputs {
  const { vectors, encoded } = encodeBatch(model, texts, batch, drop);
  const layers = model.decode(encoded, batch.hasNoise ? noisyQueries(batch) : undefined, { drop });
  if (!batch.hasNoise) return { vectors, found: layers, denoised: null };
  const [found, denoised] = ([0, 1] as const).map((which) => layers.map((layer) => selectGroup(layer, which)));
  return { vectors, found: found!, denoised: denoised! };
}

/** Of each image's two groups the first one's answers, or the second one's. */
function selectGroup(output: LayerOutput, which: 0 | 1): LayerOutput {
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

/** @param vectors `[objects and relations, text width]` row by row */
function relationShares(vectors: tf.TypedArray, { labels: texts, targets }: TrainingBatch): Float32Array[] {
  const { length: count } = texts.relations;
  const width = vectors.length / (texts.objects.length + count);
  const relations = (vectors as Float32Array).subarray(texts.objects.length * width);
  return targets.map((target) => pseudoLabels(relations, count, target.relations));
}
