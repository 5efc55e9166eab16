import * as tf from '@tensorflow/tfjs-core';
import type { Dropout } from '../model/layers/dropout.js';
import type { LayerOutput, RlipV2 } from '../model/rlip-v2.js';
import type { CachedLabelVectors } from './data/cached-label-vectors.js';
import { encodeBatch, pixelTensor } from './data/encode-batch.js';
import { noisyQueries } from './data/noisy-queries.js';
import type { TrainingBatch } from './data/training-batch.js';
import { emptyLayer } from './loss/empty-layer.js';
import { matchPairsAsync } from './loss/match-pairs.js';
import { pairLosses, totalLoss } from './loss/pair-losses.js';
import type { Matches } from './loss/pair-targets.js';
import { pseudoLabels } from './loss/pseudo-labels.js';
import { type Forward, type ReadBack, summedLossParts } from './loss-gradients.js';

/** Options of `rlipForward`. */
export interface RlipLossOptions {
  /** Relational quality labels: relation targets are multiplied by the quality of the boxes. */
  readonly qualityLabels: boolean;
  /** Relational pseudo-labels: predicates that are similar to those that hold receive a part of the target. */
  readonly pseudoLabels: boolean;
}

/**
 * Returns the forward pass of RLIPv2: queries find pairs, and are matched with the true pairs in each decoder layer.
 * With noise, a second group of queries starts from noisy copies of the true pairs and is trained to correct them
 * (DN-DETR). Targets are constants: no gradient flows to the text encoder through pseudo-labels, as it does officially.
 *
 * Source: RLIPv2, models/hoi.py and matcher.py.
 */
export const rlipForward = (model: RlipV2, labelVectors: CachedLabelVectors, options: RlipLossOptions): Forward => {
  const decode = (batch: TrainingBatch, drop: Dropout) => decodeBatch(model, labelVectors, batch, drop);
  const outputsOf = ({ found, vectors }: DecoderOutputs): Record<string, tf.Tensor> => {
    const named = found.flatMap((layer, k) => Object.entries(layer).map(([name, x]) => [`${k}.${name}`, x] as const));
    return { ...Object.fromEntries(named), ...(options.pseudoLabels && { vectors }) };
  };
  const losses = (
    { found, denoised }: Pick<DecoderOutputs, 'found' | 'denoised'>,
    { targets }: TrainingBatch,
    known: Partial<ReadBack>,
  ) => ({
    found: found.map((layer, k) =>
      pairLosses(layer, targets, {
        givenPairs: false,
        qualityLabels: options.qualityLabels,
        name: `found.${k}`,
        ...(known.matches && { matches: known.matches[k]! }),
        ...(known.pseudoLabels && { pseudoLabels: known.pseudoLabels }),
      }),
    ),
    denoised: denoised?.map((layer) =>
      pairLosses(layer, targets, { givenPairs: true, qualityLabels: false, name: 'denoised' }),
    ),
  });
  return {
    prepare: (batch) => labelVectors.prepare(batch),
    before: {
      outputs: (batch, drop) => outputsOf(decode(batch, drop)),
      collectData: (batch) => {
        const { labels, height, width, sizes, hasNoise } = batch;
        const texts = labelVectors.collectData(batch);
        const given = hasNoise ? noisyQueries(batch) : undefined;
        if (!model.collectData({ height, width }, sizes, texts, labels.objects.length, given)) return false;
        pixelTensor(batch);
        return true;
      },
      collectTargets: (batch, known) => {
        const layer = emptyLayer(batch, model.config.pairs);
        const found = known.matches.map(() => layer);
        losses({ found, denoised: batch.hasNoise ? [layer] : null }, batch, known);
      },
      readBack: async (outputs, batch) => {
        const matches: Matches[][] = [];
        for (let k = 0; outputs[`${k}.subjectBoxes`]; k++)
          matches.push(await matchPairsAsync(layerOf(outputs, k), batch.targets));
        const { vectors } = outputs;
        return { matches, pseudoLabels: vectors ? batchPseudoLabels(await vectors.data(), batch) : null };
      },
      placeholder: ({ targets }) => {
        const matches = targets.map(({ subjectLabels }) => ({ queries: Int32Array.from(subjectLabels, (_, k) => k) }));
        return { matches: Array.from({ length: model.config.decoderLayers }, () => matches), pseudoLabels: null };
      },
    },
    run: (batch, drop, known, onOutputs) => {
      const decoded = decode(batch, drop);
      onOutputs?.(outputsOf(decoded));
      const read = () => (options.pseudoLabels ? batchPseudoLabels(decoded.vectors.dataSync(), batch) : null);
      const { found, denoised } = losses(decoded, batch, known ?? { pseudoLabels: read() });
      const total = totalLoss(found);
      // The parts do not include the denoising queries.
      const parts = summedLossParts(found);
      return { total: denoised ? tf.add(total, totalLoss(denoised)) : total, parts };
    },
  };
};

/** The outputs of layer k, by the names of `before`. */
const layerOf = (outputs: Readonly<Record<string, tf.Tensor>>, k: number): LayerOutput =>
  Object.fromEntries(
    Object.entries(outputs).flatMap(([name, x]) => (name.startsWith(`${k}.`) ? [[name.slice(`${k}.`.length), x]] : [])),
  ) as unknown as LayerOutput;

/** The outputs of all decoder layers for a batch. */
interface DecoderOutputs {
  /** Vectors of the labels, `[objects and relations, text width]`. */
  readonly vectors: tf.Tensor2D;
  /** The outputs of the learned queries, which find pairs. */
  readonly found: readonly LayerOutput[];
  /** The outputs of the denoising queries; null without noise. */
  readonly denoised: readonly LayerOutput[] | null;
}

function decodeBatch(
  model: RlipV2,
  labelVectors: CachedLabelVectors,
  batch: TrainingBatch,
  drop: Dropout,
): DecoderOutputs {
  const { vectors, encoded } = encodeBatch(model, labelVectors, batch, drop);
  const layers = model.decode(encoded, batch.hasNoise ? noisyQueries(batch) : undefined, { drop });
  if (!batch.hasNoise) return { vectors, found: layers, denoised: null };
  const [found, denoised] = ([0, 1] as const).map((group) => layers.map((layer) => selectGroup(layer, group)));
  return { vectors, found: found!, denoised: denoised! };
}

/** Selects the outputs of one of the two query groups that each image has. */
function selectGroup(output: LayerOutput, group: 0 | 1): LayerOutput {
  const select = (x: tf.Tensor3D): tf.Tensor3D => {
    const [groups, pairs, numbers] = x.shape;
    const both = tf.reshape(x, [groups / 2, 2, pairs, numbers]);
    return tf.reshape(tf.slice(both, [0, group, 0, 0], [-1, 1, -1, -1]), [groups / 2, pairs, numbers]);
  };
  return {
    subjectLogits: select(output.subjectLogits),
    objectLogits: select(output.objectLogits),
    relationLogits: select(output.relationLogits),
    subjectBoxes: select(output.subjectBoxes),
    objectBoxes: select(output.objectBoxes),
  };
}

/** @param vectors `[objects and relations, text width]` in row-major order */
function batchPseudoLabels(vectors: tf.TypedArray, { labels, targets }: TrainingBatch): Float32Array[] {
  const { length: count } = labels.relations;
  const width = vectors.length / (labels.objects.length + count);
  const relations = (vectors as Float32Array).subarray(labels.objects.length * width);
  return targets.map((target) => pseudoLabels(relations, count, target.relations));
}
