import * as tf from '@tensorflow/tfjs-core';
import type { RlipV2 } from '../model/rlip-v2.js';
import { textMask } from '../model/text/text-mask.js';
import { type Tokenizer, tokenize } from '../model/text/tokenizer.js';
import { pairLosses, totalLoss } from './losses.js';
import { pseudoLabels } from './pseudo-labels.js';
import { type Forward, summedParts } from './training-step.js';

export interface RlipLossOptions {
  /** Whether a relation's label is as strong as its boxes are good: relational quality labels. */
  readonly quality: boolean;
  /** Whether relations that mean about the same get a share of the label: relational pseudo-labels. */
  readonly pseudoLabels: boolean;
}

/**
 * What a batch becomes in RLIPv2: queries find pairs for themselves and are matched with the true ones, layer by layer.
 * Targets are constant: no gradient goes to the text encoder through pseudo-labels, as officially one does.
 *
 * Source: RLIPv2, models/hoi.py and matcher.py.
 */
export const rlipForward =
  (model: RlipV2, tokenizer: Tokenizer, options: RlipLossOptions): Forward =>
  (batch, drop) => {
    const { height, width, sizes, texts, targets } = batch;
    const labels = [...texts.objects, ...texts.relations];
    const tokens = tokenize(tokenizer, labels, model.config.text.positions - 2);
    const vectors = model.encodeTexts(tokens, { drop });
    const hidden = model.config.compat.textMaskBySum ? textMask(vectors, sizes.length) : null;
    const pixels = tf.tensor4d(batch.pixels, [sizes.length, height, width, 3]);
    const encoded = model.encode({ pixels, sizes }, { vectors, objects: texts.objects.length, hidden }, { drop });
    const layers = model.decode(encoded, undefined, { drop });
    const shares = options.pseudoLabels ? relationShares(vectors, texts.objects.length, targets) : undefined;
    const terms = layers.map((layer) =>
      pairLosses(layer, targets, {
        given: false,
        quality: options.quality,
        ...(shares && { pseudoLabels: shares }),
      }),
    );
    return { total: totalLoss(terms), parts: summedParts(terms) };
  };

function relationShares(
  vectors: tf.Tensor2D,
  objects: number,
  targets: readonly { readonly relations: Float32Array }[],
): Float32Array[] {
  const [texts, width] = vectors.shape;
  const relations = (vectors.dataSync() as Float32Array).subarray(objects * width);
  return targets.map((target) => pseudoLabels(relations, texts - objects, target.relations));
}
