import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../model-config.js';
import { MASKED_LOGIT } from '../ops/attention.js';
import type { Scope } from '../parameter-scope.js';
import type { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { LayerNorm } from './norms.js';
import { SelfAttention } from './self-attention.js';

/**
 * Transformer layer over queries and labels: self-attention, then a feed-forward network, with a layer norm before each.
 * Source: PyTorch, `TransformerEncoderLayer` with `norm_first`.
 */
class FusionLayer {
  readonly #attention: SelfAttention;
  readonly #attentionNorm: LayerNorm;
  readonly #hidden: Linear;
  readonly #output: Linear;
  readonly #outputNorm: LayerNorm;
  readonly #dropout: number;

  constructor(scope: Scope, { width, heads, hidden, dropout }: ModelConfig) {
    this.#attention = new SelfAttention(scope.at('self_attn'), width, heads);
    this.#hidden = new Linear(scope.at('linear1'), width, hidden);
    this.#output = new Linear(scope.at('linear2'), hidden, width);
    this.#attentionNorm = new LayerNorm(scope.at('norm1'), width);
    this.#outputNorm = new LayerNorm(scope.at('norm2'), width);
    this.#dropout = dropout;
  }

  /**
   * @param x `[batch, n, width]`
   * @param mask added to the scores, `[batch, 1, 1, n]`; null when nothing is masked
   * @returns the shape of x
   */
  apply(x: tf.Tensor3D, mask: tf.Tensor | null, drop: Dropout): tf.Tensor3D {
    const rate = this.#dropout;
    return tf.tidy(() => {
      const normalized = this.#attentionNorm.apply(x) as tf.Tensor3D;
      const attention = this.#attention.apply(normalized, normalized, mask, (weights) => drop(weights, rate));
      const attended = tf.add(x, drop(attention, rate));
      const output = this.#output.apply(drop(this.#hidden.apply(this.#outputNorm.apply(attended), 'relu'), rate));
      return tf.add(attended, drop(output, rate));
    });
  }
}

/** Queries and labels that have attended to each other. */
export interface FusedQueries {
  /** `[batch, queries, width]` */
  readonly queries: tf.Tensor3D;
  /** `[batch, labels, width]` */
  readonly labels: tf.Tensor3D;
}

/**
 * Late fusion: transformer layers over the concatenation of decoder states and label vectors.
 * Source: Yuan et al., "RLIP", 2022, cross-modal fusion of RLIP-ParSeD.
 */
export class LateFusion {
  readonly #layers: readonly FusionLayer[];
  readonly #norm: LayerNorm;

  constructor(scope: Scope, config: ModelConfig) {
    this.#layers = Array.from(
      { length: config.decoderLayers },
      (_, k) => new FusionLayer(scope.at('layers', k), config),
    );
    this.#norm = new LayerNorm(scope.at('norm'), config.width);
  }

  /**
   * @param queries decoder states, `[batch, queries, width]`
   * @param labels label vectors, `[batch, labels, width]`
   * @param paddingMask `[batch, labels]`, 1 for padding; null when no label is padding
   * @returns normalized queries and labels after each layer
   */
  apply(queries: tf.Tensor3D, labels: tf.Tensor3D, paddingMask: tf.Tensor2D | null, drop: Dropout): FusedQueries[] {
    const [batch, count] = queries.shape;
    const mask = paddingMask
      ? tf.mul(tf.reshape(tf.concat([tf.zeros([batch, count]), paddingMask], 1), [batch, 1, 1, -1]), MASKED_LOGIT)
      : null;
    let x = tf.concat([queries, labels], 1); // [batch, queries + labels, width]
    return this.#layers.map((layer) => {
      x = layer.apply(x, mask, drop);
      const [fusedQueries, fusedLabels] = tf.split(this.#norm.apply(x), [count, labels.shape[1]], 1) as [
        tf.Tensor3D,
        tf.Tensor3D,
      ];
      return { queries: fusedQueries, labels: fusedLabels };
    });
  }
}
