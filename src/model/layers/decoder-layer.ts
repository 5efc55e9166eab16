import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../model-config.js';
import type { Scope } from '../parameter-scope.js';
import { DeformableAttention, type LevelTokens } from './deformable-attention-layer.js';
import type { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { LayerNorm } from './norms.js';
import { SelfAttention } from './self-attention.js';

/** Queries as one decoder layer sees them. */
export interface Queries {
  /** What a query has gathered, `[groups, queries, width]`. */
  readonly content: tf.Tensor3D;
  /** What it looks for, the same shape. */
  readonly position: tf.Tensor3D;
  /** Where it looks, `[groups, queries, levels, 2 or 4]`, in [0, 1] of the canvas. */
  readonly referencePoints: tf.Tensor4D;
  /** Added to the scores among the queries, broadcasts to `[groups, heads, queries, queries]`. */
  readonly mask: tf.Tensor | null;
}

/** Attention of the queries among each other, then to the image, then a feed-forward part; normalised after each. */
export class DecoderLayer {
  readonly #self: SelfAttention;
  readonly #cross: DeformableAttention;
  readonly #crossNorm: LayerNorm;
  readonly #selfNorm: LayerNorm;
  readonly #hidden: Linear;
  readonly #output: Linear;
  readonly #outputNorm: LayerNorm;
  readonly #dropout: number;

  constructor(scope: Scope, config: ModelConfig) {
    const { width, heads, hidden, dropout } = config;
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
   * @param memory of a batch of images, each of which has as many groups of queries, one after the other
   * @returns the content, `[groups, queries, width]`
   */
  apply({ content, position, referencePoints, mask }: Queries, memory: LevelTokens, drop: Dropout): tf.Tensor3D {
    return tf.tidy(() => {
      const rate = this.#dropout;
      const selfAttended = this.#self.apply(tf.add(content, position), content, mask, (weights) => drop(weights, rate));
      const afterSelf = this.#selfNorm.apply(tf.add(content, drop(selfAttended, rate))) as tf.Tensor3D;
      // Groups of one image are one long list to the image: its tokens are projected once.
      const [groups, queries, width] = content.shape;
      const images = memory.tokens.shape[0];
      const count = (groups / images) * queries;
      const [, , levels, coordinates] = referencePoints.shape;
      const attended = this.#cross.apply(
        tf.reshape(tf.add(afterSelf, position), [images, count, width]),
        tf.reshape(referencePoints, [images, count, levels, coordinates]),
        memory,
      );
      const afterCross = this.#crossNorm.apply(tf.add(afterSelf, drop(tf.reshape(attended, content.shape), rate)));
      const output = this.#output.apply(drop(this.#hidden.apply(afterCross, 'relu'), rate));
      return this.#outputNorm.apply(tf.add(afterCross, drop(output, rate))) as tf.Tensor3D;
    });
  }
}
