import type * as tf from '@tensorflow/tfjs-core';
import type { Dropout } from '../../model/layers/dropout.js';
import { dataTensor } from '../../model/recording/data-tensor.js';
import type { RlipV2 } from '../../model/rlip-v2.js';
import { LabelVectors } from '../../model/text/label-vectors.js';
import type { TokenizedTexts } from '../../model/text/roberta.js';
import { type Tokenizer, tokenizeLabels } from '../../model/text/tokenizer.js';
import type { TrainingLabelSet } from './label-set.js';

/** Labels whose tokens are kept. */
const MAX_TOKENIZED = 50_000;

/**
 * Computes the vectors of a batch's labels. A frozen text encoder encodes each label once, outside of the
 * differentiated function, so that its activations, which are most of a step's memory, are not kept.
 */
export class CachedLabelVectors {
  readonly #model: RlipV2;
  readonly #tokenizer: Tokenizer;
  readonly #trained: boolean;
  readonly #tokenMultiple: number;
  /** Token ids by label: the same labels occur in many batches. */
  readonly #tokens = new Map<string, readonly number[]>();
  #cache: LabelVectors | undefined;
  #values: Float32Array | undefined;

  /**
   * @param trained whether gradients flow to the text encoder
   * @param tokenMultiple see `tokenizeLabels`
   */
  constructor(model: RlipV2, tokenizer: Tokenizer, trained: boolean, tokenMultiple = 1) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#trained = trained;
    this.#tokenMultiple = tokenMultiple;
  }

  /** Encodes labels that are not cached yet; to be called before each step, outside of the differentiated function. */
  async prepare({ labels }: { readonly labels: TrainingLabelSet }): Promise<void> {
    if (this.#trained) return;
    this.#cache ??= await LabelVectors.open(this.#model, this.#tokenizer);
    this.#values = await this.#cache.of([...labels.objects, ...labels.relations]);
  }

  /** @returns `[objects and relations, text width]` */
  encode({ labels: { objects, relations } }: { readonly labels: TrainingLabelSet }, drop: Dropout): tf.Tensor2D {
    const labels = [...objects, ...relations];
    const { width } = this.#model.config.text;
    if (!this.#trained) return dataTensor('texts.vectors', this.#values!, [labels.length, width]);
    return this.#model.encodeTexts(this.#tokenize(labels), { drop });
  }

  /**
   * Makes the tensors that depend on the labels, see `RlipV2.collectData`.
   * @returns the tokens of a trained text encoder; null if the vectors are known
   */
  collectData({ labels: { objects, relations } }: { readonly labels: TrainingLabelSet }): TokenizedTexts | null {
    const labels = [...objects, ...relations];
    if (this.#trained) return this.#tokenize(labels);
    dataTensor('texts.vectors', this.#values!, [labels.length, this.#model.config.text.width]);
    return null;
  }

  #tokenize(labels: readonly string[]): TokenizedTexts {
    const known = { encode: (text: string) => this.#tokens.get(text) ?? this.#remember(text) };
    return tokenizeLabels(known, labels, this.#model.config.text.positions - 2, this.#tokenMultiple);
  }

  #remember(text: string): readonly number[] {
    const ids = this.#tokenizer.encode(text);
    if (this.#tokens.size >= MAX_TOKENIZED) this.#tokens.clear();
    this.#tokens.set(text, ids);
    return ids;
  }
}
