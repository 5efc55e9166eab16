import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../model-config.js';
import type { Scope } from '../parameter-scope.js';
import { DeformableAttention, type LevelTokens } from './deformable-attention-layer.js';
import type { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { LayerNorm } from './norms.js';
import { SelfAttention } from './self-attention.js';

/** Input queries of one decoder layer. */
export interface Queries {
  /** Content queries, `[groups, queries, width]`. */
  readonly content: tf.Tensor3D;
  /** Positional queries, the same shape. */
  readonly position: tf.Tensor3D;
  /** Reference points (x, y) or boxes (cx, cy, w, h), `[groups, queries, levels, 2 or 4]`, in [0, 1] of the canvas. */
  readonly referencePoints: tf.Tensor4D;
  /** Added to the self-attention scores, broadcasts to `[groups, heads, queries, queries]`; null when nothing is masked. */
  readonly mask: tf.Tensor | null;
}

/**
 * Decoder layer: self-attention among the queries, deformable cross-attention to the image, then a feed-forward network,
 * with a layer norm after each.
 * Source: Deformable DETR, `DeformableTransformerDecoderLayer`.
 */
export class DecoderLayer {
  readonly #self: SelfAttention;
  readonly #cross: DeformableAttention;
  readonly #crossNorm: LayerNorm;
  readonly #selfNorm: LayerNorm;
  readonly #hidden: Linear;
  readonly #output: Linear;
  readonly #outputNorm: LayerNorm;
  readonly #dropout: number;
  readonly #groupSize: number;

  constructor(scope: Scope, config: ModelConfig) {
    const { width, heads, hidden, dropout } = config;
    this.#groupSize = 2 * config.pairs;
    this.#self = new SelfAttention(scope.at('self_attn'), width, heads);
    this.#cross = new DeformableAttention(scope.at('cross_attn'), config);
    this.#crossNorm = new LayerNorm(scope.at('norm1'), width);
    this.#selfNorm = new LayerNorm(scope.at('norm2'), width);
    this.#hidden = new Linear(scope.at('linear1'), width, hidden);
    this.#output = new Linear(scope.at('linear2'), hidden, width);
    this.#outputNorm = new LayerNorm(scope.at('norm3'), width);
    this.#dropout = dropout;
  }

  /**
   * @param memory encoded tokens of the batch; every image has the same number of groups, and the groups are ordered by image
   * @returns the new content, `[groups, queries, width]`
   */
  apply({ content, position, referencePoints, mask }: Queries, memory: LevelTokens, drop: Dropout): tf.Tensor3D {
    return tf.tidy(() => {
      const rate = this.#dropout;
      const selfAttended = this.#self.apply(tf.add(content, position), content, mask, (weights) => drop(weights, rate));
      const afterSelf = this.#selfNorm.apply(tf.add(content, drop(selfAttended, rate))) as tf.Tensor3D;
      // The groups of one image attend to it as one long list of queries, so that its tokens are projected only once.
      const [groups, queries, width] = content.shape;
      const images = memory.tokens.shape[0];
      const count = (groups / images) * queries;
      const [, , levels, coordinates] = referencePoints.shape;
      const attended = this.#cross.apply(
        tf.reshape(tf.add(afterSelf, position), [images, count, width]), // [images, groups per image · queries, width]
        tf.reshape(referencePoints, [images, count, levels, coordinates]), // [images, count, levels, 2 or 4]
        memory,
        this.#groupSize,
      );
      const afterCross = this.#crossNorm.apply(tf.add(afterSelf, drop(tf.reshape(attended, content.shape), rate)));
      const output = this.#output.apply(drop(this.#hidden.apply(afterCross, 'relu'), rate));
      return this.#outputNorm.apply(tf.add(afterCross, drop(output, rate))) as tf.Tensor3D;
    });
  }
}
