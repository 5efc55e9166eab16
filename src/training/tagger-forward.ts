import type { RlipV2 } from '../model/rlip-v2.js';
import type { CachedLabelVectors } from './data/cached-label-vectors.js';
import { encodeBatch, pixelTensor } from './data/encode-batch.js';
import { noisyQueries } from './data/noisy-queries.js';
import { emptyLayer } from './loss/empty-layer.js';
import { pairLosses, totalLoss } from './loss/pair-losses.js';
import { type Forward, summedLossParts } from './loss-gradients.js';

const LOSS_OPTIONS = { givenPairs: true, qualityLabels: false } as const;

/** Returns the forward pass of a tagger, whose queries are the given pairs with noise. */
export const taggerForward = (model: RlipV2, labelVectors: CachedLabelVectors): Forward => ({
  prepare: (batch) => labelVectors.prepare(batch),
  collectData: (batch) => {
    const { targets, labels, slots, height, width, sizes } = batch;
    const texts = labelVectors.collectData(batch);
    const given = noisyQueries(batch);
    if (!model.collectData({ height, width }, sizes, texts, labels.objects.length, given)) return false;
    pixelTensor(batch);
    pairLosses(emptyLayer(batch, slots), targets, LOSS_OPTIONS);
    return true;
  },
  run: (batch, drop) => {
    const { encoded } = encodeBatch(model, labelVectors, batch, drop);
    const layers = model.decode(encoded, noisyQueries(batch), { drop });
    const terms = layers.map((layer) => pairLosses(layer, batch.targets, LOSS_OPTIONS));
    return { total: totalLoss(terms), parts: summedLossParts(terms) };
  },
});
