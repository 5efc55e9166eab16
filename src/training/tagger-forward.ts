import * as tf from '@tensorflow/tfjs-core';
import type { RlipV2 } from '../model/rlip-v2.js';
import type { CachedLabelVectors } from './data/cached-label-vectors.js';
import { encodeBatch, pixelTensor } from './data/encode-batch.js';
import { noisyQueries } from './data/noisy-queries.js';
import { pairLosses, totalLoss } from './loss/pair-losses.js';
import { type Forward, summedLossParts } from './loss-gradients.js';

const LOSS_OPTIONS = { givenPairs: true, qualityLabels: false } as const;

/** Returns the forward pass of a tagger, whose queries are the given pairs with noise. */
export const taggerForward = (model: RlipV2, labelVectors: CachedLabelVectors): Forward => ({
  prepare: (batch) => labelVectors.prepare(batch),
  collectData: (batch) => {
    const { targets, labels, slots, height, width, sizes } = batch;
    const texts = labelVectors.collectData(batch);
    const objectCount = labels.objects.length;
    if (!model.collectData({ height, width }, sizes, texts, objectCount, noisyQueries(batch))) return false;
    pixelTensor(batch);
    const boxes = tf.zeros([sizes.length, slots, 4]) as tf.Tensor3D;
    const logits = (count: number) => tf.zeros([sizes.length, slots, count]) as tf.Tensor3D;
    const [objects, relations] = [logits(objectCount), logits(labels.relations.length)];
    const layer = { subjectBoxes: boxes, objectBoxes: boxes, subjectLogits: objects, objectLogits: objects };
    pairLosses({ ...layer, relationLogits: relations }, targets, LOSS_OPTIONS);
    return true;
  },
  run: (batch, drop) => {
    const { encoded } = encodeBatch(model, labelVectors, batch, drop);
    const layers = model.decode(encoded, noisyQueries(batch), { drop });
    const terms = layers.map((layer) => pairLosses(layer, batch.targets, LOSS_OPTIONS));
    return { total: totalLoss(terms), parts: summedLossParts(terms) };
  },
});
