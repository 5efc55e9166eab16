import type { RlipV2 } from '../model/rlip-v2.js';
import type { CachedLabelVectors } from './data/cached-label-vectors.js';
import { encodeBatch, noisyQueries } from './data/encode-batch.js';
import { pairLosses, totalLoss } from './loss/pair-losses.js';
import { type Forward, summedParts } from './loss-gradients.js';

/** What a batch of given pairs becomes in a tagger. */
export const taggerForward = (model: RlipV2, texts: CachedLabelVectors): Forward => ({
  prepare: (batch) => texts.prepare(batch),
  run: (batch, drop) => {
    const { encoded } = encodeBatch(model, texts, batch, drop);
    const layers = model.decode(encoded, noisyQueries(batch), { drop });
    const terms = layers.map((layer) => pairLosses(layer, batch.targets, { givenPairs: true, qualityLabels: false }));
    return { total: totalLoss(terms), parts: summedParts(terms) };
  },
});
