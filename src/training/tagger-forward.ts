import type { RlipV2 } from '../model/rlip-v2.js';
import type { CachedLabelVectors } from './data/cached-label-vectors.js';
import { encodeBatch } from './data/encode-batch.js';
import { noisyQueries } from './data/noisy-queries.js';
import { pairLosses, totalLoss } from './loss/pair-losses.js';
import { type Forward, summedLossParts } from './loss-gradients.js';

/** Returns the forward pass of a tagger, whose queries are the given pairs with noise. */
export const taggerForward = (model: RlipV2, labelVectors: CachedLabelVectors): Forward => ({
  prepare: (batch) => labelVectors.prepare(batch),
  run: (batch, drop) => {
    const { encoded } = encodeBatch(model, labelVectors, batch, drop);
    const layers = model.decode(encoded, noisyQueries(batch), { drop });
    const terms = layers.map((layer) => pairLosses(layer, batch.targets, { givenPairs: true, qualityLabels: false }));
    return { total: totalLoss(terms), parts: summedLossParts(terms) };
  },
});
