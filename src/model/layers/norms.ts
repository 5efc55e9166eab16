import * as tf from '@tensorflow/tfjs-core';
import { layerNorm } from '../ops/layer-norm.js';
import { ones, type Parameter, type Scope, zeros } from '../parameter-scope.js';

/** Layer normalization over the last axis. Source: PyTorch, `LayerNorm`. */
export class LayerNorm {
  readonly #weight: Parameter;
  readonly #bias: Parameter;
  readonly #epsilon: number;

  constructor(scope: Scope, width: number, epsilon = 1e-5) {
    this.#weight = scope.parameter('weight', [width], ones);
    this.#bias = scope.parameter('bias', [width], zeros);
    this.#epsilon = epsilon;
  }

  /** @param x `[…, width]` @returns the same shape */
  apply(x: tf.Tensor): tf.Tensor {
    return layerNorm(x, this.#weight.variable, this.#bias.variable, this.#epsilon);
  }
}

/** Group normalization: normalizes each image over all cells of each group of channels. Source: PyTorch, `GroupNorm`. */
export class GroupNorm {
  readonly #groups: number;
  readonly #weight: Parameter;
  readonly #bias: Parameter;
  readonly #epsilon: number;

  constructor(scope: Scope, groups: number, channels: number, epsilon = 1e-5) {
    this.#groups = groups;
    this.#weight = scope.parameter('weight', [channels], ones);
    this.#bias = scope.parameter('bias', [channels], zeros);
    this.#epsilon = epsilon;
  }

  /** @param x `[batch, height, width, channels]` @returns the same shape */
  apply(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => {
      const [batch, height, width, channels] = x.shape;
      const grouped = tf.reshape(x, [batch, height * width, this.#groups, channels / this.#groups]); // [batch, cells, groups, channels / groups]
      const mean = tf.mean(grouped, [1, 3], true); // [batch, 1, groups, 1]
      const centered = tf.sub(grouped, mean);
      const variance = tf.mean(tf.square(centered), [1, 3], true); // [batch, 1, groups, 1]
      const normalized = tf.reshape(tf.mul(centered, tf.rsqrt(tf.add(variance, this.#epsilon))), x.shape); // [batch, height, width, channels]
      return tf.add(tf.mul(normalized, this.#weight.variable), this.#bias.variable);
    });
  }
}
