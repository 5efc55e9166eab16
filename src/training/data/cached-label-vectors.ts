import * as tf from '@tensorflow/tfjs-core';
import type { Dropout } from '../../model/layers/dropout.js';
import type { RlipV2 } from '../../model/rlip-v2.js';
import { LabelVectors } from '../../model/text/label-vectors.js';
import { type Tokenizer, tokenize } from '../../model/text/tokenizer.js';
import type { TrainingLabelSet } from './label-set.js';

/**
 * Vectors of a batch's labels. A text encoder that is not trained computes each label's once, outside of what is
 * differentiated: its activations, which are most of a step's memory, are not kept.
 */
export class CachedLabelVectors {
  readonly #model: RlipV2;
  readonly #tokenizer: Tokenizer;
  readonly #trained: boolean;
  #kept: LabelVectors | undefined;
  #values: Float32Array | undefined;

  constructor(model: RlipV2, tokenizer: Tokenizer, trained: boolean) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#trained = trained;
  }

  /** To be called before each step, outside of it. */
  async prepare({ labels: texts }: { readonly labels: TrainingLabelSet }): Promise<void> {
    if (this.#trained) return;
    this.#kept ??= await LabelVectors.open(this.#model, this.#tokenizer);
    this.#values = await this.#kept.of([...texts.objects, ...texts.relations]);
  }

  /** @returns `[objects and relations, text width]` */
  encode({ labels: texts }: { readonly labels: TrainingLabelSet }, drop: Dropout): tf.Tensor2D {
    const labels = [...texts.objects, ...texts.relations];
    const { width, positions } = this.#model.config.text;
    if (!this.#trained) return tf.tensor2d(this.#values!, [labels.length, width]);
    return this.#model.encodeTexts(tokenize(this.#tokenizer, labels, positions - 2), { drop });
  }
}
