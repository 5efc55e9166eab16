import * as tf from '@tensorflow/tfjs-core';
import type { Dropout } from '../layers/dropout.js';
import { Linear, type LinearOptions } from '../layers/linear.js';
import { LayerNorm } from '../layers/norms.js';
import { attention } from '../ops/attention.js';
import { gelu } from '../ops/gelu.js';
import type { Scope } from '../parameter-scope.js';
import type { RobertaShape } from './roberta-shape.js';

/** Dropout of RoBERTa layers in training mode. */
export const ROBERTA_DROPOUT = 0.1;

/**
 * Transformer layer: self-attention, then a feed-forward network with GELU, with a layer norm after each.
 * Source: Hugging Face transformers, `RobertaLayer`.
 */
export class RobertaLayer {
  readonly #heads: number;
  readonly #query: Linear;
  readonly #key: Linear;
  readonly #value: Linear;
  readonly #attended: Linear;
  readonly #attendedNorm: LayerNorm;
  readonly #hidden: Linear;
  readonly #output: Linear;
  readonly #outputNorm: LayerNorm;

  constructor(scope: Scope, { width, heads, hidden }: RobertaShape, options: LinearOptions = {}) {
    this.#heads = heads;
    const self = scope.at('attention', 'self');
    this.#query = new Linear(self.at('query'), width, width, options);
    this.#key = new Linear(self.at('key'), width, width, options);
    this.#value = new Linear(self.at('value'), width, width, options);
    this.#attended = new Linear(scope.at('attention', 'output', 'dense'), width, width, options);
    this.#attendedNorm = new LayerNorm(scope.at('attention', 'output', 'LayerNorm'), width);
    this.#hidden = new Linear(scope.at('intermediate', 'dense'), width, hidden, options);
    this.#output = new Linear(scope.at('output', 'dense'), hidden, width, options);
    this.#outputNorm = new LayerNorm(scope.at('output', 'LayerNorm'), width);
  }

  /**
   * @param x `[batch, n, width]`
   * @param mask added to the scores, `[batch, 1, 1, n]`; null when nothing is masked
   * @param count number of tokens, from the first, whose states are needed; all by default
   * @returns `[batch, count, width]`
   */
  apply(x: tf.Tensor3D, mask: tf.Tensor | null, drop: Dropout, count: number = x.shape[1]): tf.Tensor3D {
    return tf.tidy(() => {
      const needed = count < x.shape[1] ? tf.slice(x, [0, 0, 0], [-1, count, -1]) : x; // [batch, count, width]
      const context = attention(
        this.#query.apply(needed) as tf.Tensor3D,
        this.#key.apply(x) as tf.Tensor3D,
        this.#value.apply(x) as tf.Tensor3D,
        this.#heads,
        mask,
        (weights) => drop(weights, ROBERTA_DROPOUT),
      );
      const attended = this.#attendedNorm.apply(tf.add(drop(this.#attended.apply(context), ROBERTA_DROPOUT), needed));
      const output = this.#output.apply(gelu(this.#hidden.apply(attended)));
      return this.#outputNorm.apply(tf.add(drop(output, ROBERTA_DROPOUT), attended)) as tf.Tensor3D;
    });
  }
}

/**
 * Additive attention mask of RoBERTa: −10,000 for padding, as in the release that the official models were trained with.
 * @param validMask 1 for tokens, 0 for padding, `[batch, n]`
 * @returns `[batch, 1, 1, n]`
 */
export function robertaMask(validMask: tf.Tensor2D): tf.Tensor4D {
  const [batch, count] = validMask.shape;
  return tf.reshape(tf.mul(tf.sub(1, validMask), -10_000), [batch, 1, 1, count]);
}
